// Random layouts and random wishes: what `push` chooses is whole and each tag is for one manifest, or it is refused.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chosen, chooseImages, type Request } from '../../client/push/choice.ts';
import type { Files } from '../../client/push/files.ts';
import { readOciLayout } from '../../client/push/oci-layout.ts';
import { isOfPlatform } from '../../client/push/platform.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { fuzzed } from '../support/fuzzing.ts';
import type { Member } from '../support/hostile-archives.ts';
import {
  type Descriptor,
  fullyNamed,
  LayoutMembers,
  named,
  ofKind,
  onPlatform,
} from '../support/layout-members.ts';

const filesOf = (members: readonly Member[]): Files => ({
  async find(name) {
    const found = members.find((member) => member.name === name);
    if (!found) {
      return undefined;
    }
    const bytes = Buffer.from(found.bytes ?? '');
    return {
      name,
      size: bytes.length,
      async *open(fromByte) {
        yield bytes.subarray(fromByte);
      },
    };
  },
  close: async () => {},
});

const platforms = [
  'linux/amd64',
  'linux/amd64/v3',
  'linux/arm64',
  'linux/arm/v6',
  'linux/arm',
  'unknown/unknown',
];
const hex = 'ab'.repeat(32);
const names = [
  '1.0',
  '2.0',
  'app:1.0',
  'quay.io/team/app:1.0',
  'web',
  'a:5000/web',
  hex,
  `app@sha256:${hex}`,
  `x:2.0@sha256:${hex}`,
  '$(id)',
];

/** Which of what was made so far: the last few most of all. */
const which = fc.nat({ max: 20 });
const step = fc.oneof(
  fc.record({ make: fc.constant('image' as const), platform: fc.constantFrom(...platforms) }),
  fc.record({
    make: fc.constant('index' as const),
    of: fc.array(which, { maxLength: 4 }),
  }),
  fc.record({ make: fc.constant('artifact' as const), of: which }),
);
const root = fc.record({
  of: which,
  name: fc.option(fc.constantFrom(...names), { freq: 2 }),
  way: fc.constantFrom('oci', 'containerd', 'cosign', 'fallback'),
});
type Made = {
  steps: (
    | { make: 'image'; platform: string }
    | { make: 'index'; of: number[] }
    | { make: 'artifact'; of: number }
  )[];
  roots: { of: number; name: string | null; way: string }[];
  absent: number[];
};

const source: fc.Arbitrary<Made> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  roots: fc.array(root, { minLength: 1, maxLength: 5 }),
  absent: fc.array(which, { maxLength: 2 }),
});
const seldom = (values: string[]) =>
  fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 4 },
    { arbitrary: fc.constantFrom(...values), weight: 1 },
  );
const wish: fc.Arbitrary<Request> = fc.record({
  tag: fc.option(fc.constantFrom('1.0', 'x'), { nil: undefined, freq: 2 }),
  image: seldom([...names, 'app', 'team/app', hex.slice(0, 8)]),
  platform: seldom(platforms),
  all: fc.boolean(),
});

function membersOf({ steps, roots, absent }: Made): Member[] {
  const layout = new LayoutMembers();
  const made: Descriptor[] = [layout.image()];
  const at = (index: number): Descriptor => made[made.length - 1 - (index % made.length)] ?? layout.image();
  for (const one of steps) {
    if (one.make === 'artifact') {
      made.push(layout.artifact(at(one.of)));
    } else if (one.make === 'index') {
      made.push(layout.index(one.of.map(at)));
    } else {
      made.push(onPlatform(layout.image(one.platform), one.platform));
    }
  }
  const listed = roots.map(({ of, name, way }) => {
    const descriptor = at(of);
    if (way === 'cosign') {
      return ofKind(descriptor, 'dev.cosignproject.cosign/sigs', name ?? undefined);
    }
    if (way === 'fallback') {
      return named(descriptor, at(of + 1).digest.replace(':', '-'));
    }
    if (name === null) {
      return descriptor;
    }
    return way === 'oci' ? named(descriptor, name) : fullyNamed(descriptor, name);
  });
  return layout.files(listed, absent.map(at));
}

async function chosenOf(members: Member[], request: Request): Promise<Chosen | SourceProblem> {
  try {
    return await chooseImages(await readOciLayout(filesOf(members)), request);
  } catch (error) {
    if (error instanceof SourceProblem) {
      return error;
    }
    throw error;
  }
}

type Members = { config?: Descriptor; layers?: Descriptor[]; manifests?: Descriptor[] };

describe('whatever a layout lists and whatever is asked for', () => {
  it('what is chosen is whole, in order and unchanged, and a tag is for one manifest', async () => {
    await fc.assert(
      fc.asyncProperty(source, wish, async (made, request) => {
        const members = membersOf(made);
        const chosen = await chosenOf(members, request);
        if (chosen instanceof SourceProblem) {
          expect(chosen.message.length).toBeLessThan(10_000);
          return;
        }
        const { manifests, blobs, tags } = chosen;
        expect(manifests.length).toBeGreaterThan(0);
        const held = new Set(blobs.map(({ digest }) => digest));
        for (const { digest, text } of manifests) {
          expect(members.some(({ name, bytes }) => name.endsWith(digest.slice(7)) && bytes === text)).toBe(
            true,
          );
          const { config, layers = [], manifests: children = [] }: Members = JSON.parse(text);
          const named = [...(config ? [config] : []), ...layers, ...children];
          expect(named.filter((one) => !held.has(one.digest))).toEqual([]);
          held.add(digest);
        }
        const given = [...tags].flatMap(([digest, its]) => its.map((tag) => ({ digest, tag })));
        expect(new Set(given.map(({ tag }) => tag)).size).toBe(given.length);
        for (const { digest, tag } of given) {
          expect(tag).toMatch(/^\w[\w.-]{0,127}$/);
          expect(tag).not.toMatch(/^[0-9a-f]{64}$/);
          expect(held).toContain(digest);
        }
        const asked = given.filter(({ tag }) => tag === request.tag);
        if (request.tag !== undefined) {
          expect(asked).toHaveLength(1);
        }
        for (const { digest } of request.platform === undefined ? [] : asked) {
          expect(isOfPlatform(chosen.origins.get(digest)?.platform ?? '', request.platform ?? '')).toBe(true);
        }
      }),
      fuzzed(3_000),
    );
  });
});
