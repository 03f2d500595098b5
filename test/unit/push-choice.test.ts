// Which images of a source `push` pushes and which tags they get: sources in the shapes that tools write.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chosen, chooseImages, type Request } from '../../client/push/choice.ts';
import { openSource } from '../../client/push/source.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { type Member, savedImage, sha256Of, tarOf } from '../support/hostile-archives.ts';
import {
  fullyNamed,
  LayoutMembers,
  mediaTypes,
  named,
  ofKind,
  onPlatform,
} from '../support/layout-members.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-choice-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What is chosen, or why nothing is. */
async function choose(members: Member[], request: Request = {}): Promise<Chosen | string> {
  const path = join(directory, 'archive');
  await writeFile(path, tarOf(members));
  try {
    const opened = await openSource(path, { input: Readable.from([]) });
    return await chooseImages(opened, request).finally(opened.close);
  } catch (error) {
    if (error instanceof SourceProblem) {
      return error.message;
    }
    throw error;
  }
}

/** The tags by digest, and what is pushed at all. */
async function chosen(members: Member[], request: Request = {}) {
  const result = await choose(members, request);
  if (typeof result === 'string') {
    expect.fail(result);
  }
  return {
    ...result,
    digests: result.manifests.map(({ digest }) => digest),
    tags: Object.fromEntries(result.tags),
  };
}

async function refusal(members: Member[], request: Request = {}): Promise<string> {
  const result = await choose(members, request);
  return typeof result === 'string' ? result : expect.fail('it was not refused');
}

function two() {
  const source = new LayoutMembers();
  const [amd64, arm64] = [
    onPlatform(source.image('linux/amd64'), 'linux/amd64'),
    onPlatform(source.image('linux/arm64'), 'linux/arm64'),
  ];
  return { source, amd64, arm64, index: source.index([amd64, arm64]) };
}

describe('a tag of the source itself', () => {
  const hex = 'ab'.repeat(32);
  const refNames: [string, string | undefined][] = [
    ['1.0', '1.0'],
    ['1.0@sha256:x', '1.0'],
    ['docker.io/library/app:1.0', '1.0'],
    [`docker.io/library/app:1.0@sha256:${hex}`, '1.0'],
    [`docker.io/library/app@sha256:${hex}`, undefined],
    [`@sha256:${hex}`, undefined],
    ['docker.io/library/app', undefined],
    ['localhost:5000/app', undefined],
    ['localhost:5000/app:1.0', '1.0'],
    [`app:${hex}`, undefined],
    [hex, undefined],
    [`sha256:${hex}`, undefined],
    ['1.0+build', undefined],
  ];
  it.each(refNames)('is, by the ref.name %s, %s', async (refName, tag) => {
    const source = new LayoutMembers();
    const image = source.image();
    const { tags } = await chosen(source.files([named(image, refName)]));
    expect(tags).toEqual(tag === undefined ? {} : { [image.digest]: [tag] });
  });

  const names: [string, string | undefined][] = [
    ['docker.io/library/app:1.0', '1.0'],
    [`docker.io/library/app:1.0@sha256:${hex}`, '1.0'],
    [`ocidir://oci/app@sha256:${hex}`, undefined],
    [`1.0@sha256:${hex}`, '1.0'],
    ['docker.io/library/app', undefined],
    ['app', undefined],
  ];
  it.each(names)('is, by the name %s of containerd, %s', async (name, tag) => {
    const source = new LayoutMembers();
    const image = source.image();
    const { tags } = await chosen(source.files([fullyNamed(image, name)]));
    expect(tags).toEqual(tag === undefined ? {} : { [image.digest]: [tag] });
  });

  it.each([
    ['app:1.0', ['1.0']],
    ['localhost:5000/app', []],
    ['app', []],
  ])('is, by the name %s of a docker archive, %j', async (name, tags) => {
    expect(Object.values((await chosen(savedImage({ tag: name }))).tags).flat()).toEqual(tags);
  });

  it('is each that the source has for one image, and none of them where one is asked for', async () => {
    const source = new LayoutMembers();
    const image = source.image();
    const files = source.files([named(image, '1.0'), named(image, 'stable')]);
    expect((await chosen(files)).tags).toEqual({ [image.digest]: ['1.0', 'stable'] });
    expect((await chosen(files, { tag: '2.0' })).tags).toEqual({ [image.digest]: ['2.0'] });
  });

  it('is refused for two images', async () => {
    const source = new LayoutMembers();
    const [app, web] = [source.image(), source.image()];
    const files = source.files([
      fullyNamed(app, 'docker.io/library/app:1.0', '1.0'),
      fullyNamed(web, 'docker.io/library/web:1.0', '1.0'),
    ]);
    expect(await refusal(files)).toBe(
      'the source has several images for the tag 1.0: choose one by --image docker.io/library/app:1.0 (linux/amd64) or --image docker.io/library/web:1.0 (linux/amd64)',
    );
  });
});

describe('one of several', () => {
  const several = () => {
    const source = new LayoutMembers();
    const [app, web] = [source.image(), source.image('linux/arm64')];
    const roots = [
      fullyNamed(app, 'quay.io/team/app:1.0', '1.0'),
      fullyNamed(web, 'quay.io/team/web:2.0', '2.0'),
    ];
    return { app, web, files: source.files(roots) };
  };

  it('is asked for where a tag is for one, in the words to type', async () => {
    expect(await refusal(several().files, { tag: 'x' })).toBe(
      'the source holds several images, and the tag x names one: choose one by --image quay.io/team/app:1.0 (linux/amd64) or --image quay.io/team/web:2.0 (linux/arm64), or leave out the tag and each gets its own',
    );
    expect(await refusal(several().files, { tag: 'x', all: true })).toMatch(
      /^the source holds several images/,
    );
  });

  it('is none in particular without a tag: each gets its own', async () => {
    const { app, web, files } = several();
    expect((await chosen(files)).tags).toEqual({ [app.digest]: ['1.0'], [web.digest]: ['2.0'] });
  });

  it.each([
    'quay.io/team/web:2.0',
    '2.0',
    'web:2.0',
    'team/web',
    'web',
    'DIGEST',
    'quay.io/team/web:2.0@DIGEST',
    'HEX',
  ])('is what %s names', async (words) => {
    const { web, files } = several();
    const image = words.replace('DIGEST', web.digest).replace('HEX', web.digest.slice(7, 19));
    const result = await chosen(files, { tag: 'x', image });
    expect([result.digests, result.tags]).toEqual([[web.digest], { [web.digest]: ['x'] }]);
    expect(result.blobs).toHaveLength(2);
  });

  it('is what a platform names', async () => {
    const { web, files } = several();
    expect((await chosen(files, { platform: 'linux/aarch64' })).tags).toEqual({ [web.digest]: ['2.0'] });
  });

  it.each([
    [{ image: 'db' }, /^the source has no image db: choose one by --image quay\.io\/team\/app:1\.0 /],
    [{ image: 'eb:2.0' }, /^the source has no image eb:2\.0/],
    [{ platform: 'linux/s390x' }, /^the source has no image for linux\/s390x: choose one by --image /],
    [{ image: 'web', platform: 'linux/amd64' }, /^the source has no image for linux\/amd64/],
    [{ image: `sha256:${'0'.repeat(64)}` }, /^the source has no image sha256:0/],
  ])('is refused where nothing is %j', async (request, message) => {
    expect(await refusal(several().files, request)).toMatch(message);
  });

  it('is offered by its digest where its name would do something in a shell, or is another’s too', async () => {
    const source = new LayoutMembers();
    const [one, other] = [source.image(), source.image()];
    const message = await refusal(source.files([named(one, 'a`id`'), named(other, '$(id)')]), { tag: 'x' });
    expect(message).toContain(`--image ${one.digest} (linux/amd64) or --image ${other.digest} (linux/amd64)`);
    const same = [fullyNamed(one, 'app:1.0'), fullyNamed(other, 'app:1.0')];
    expect(await refusal(source.files(same))).toContain(`--image ${one.digest}`);
  });

  it('is offered by its platform where that alone tells it from others of its name', async () => {
    const source = new LayoutMembers();
    const [one, other] = [source.image(), source.image('linux/arm/v7')];
    const files = source.files([named(one, '1.0'), named(other, '1.0')]);
    expect(await refusal(files)).toMatch(
      /choose one by --platform linux\/amd64 or --platform linux\/arm\/v7$/,
    );
    expect((await chosen(files, { platform: 'linux/arm' })).tags).toEqual({ [other.digest]: ['1.0'] });
  });

  it('is found among many, with few of them printed', async () => {
    const source = new LayoutMembers();
    const roots = Array.from({ length: 100 }, (_, at) => named(source.image(), `${at}.${'x'.repeat(100)}`));
    const message = await refusal(source.files(roots), { tag: 'x' });
    expect(message).toMatch(/ and 80 more, or leave out the tag and each gets its own$/);
    expect(message.length).toBeLessThan(5_000);
  });
});

describe('an index', () => {
  it('is the one image where its children are listed next to it, as oras does', async () => {
    const { source, amd64, arm64, index } = two();
    const result = await chosen(source.files([named(index, '6.8.0'), amd64, arm64]), { tag: 'x' });
    expect(result.tags).toEqual({ [index.digest]: ['x'] });
    expect(result.digests).toEqual([amd64.digest, arm64.digest, index.digest]);
  });

  it('is one of two where a child of it has a name of its own', async () => {
    const { source, amd64, index } = two();
    const files = source.files([named(index, '1.0'), named(amd64, '1.0-amd64')]);
    expect((await chosen(files)).tags).toEqual({ [index.digest]: ['1.0'], [amd64.digest]: ['1.0-amd64'] });
    expect(await refusal(files, { tag: 'x' })).toMatch(/^the source holds several images/);
  });

  it('gives its tag to the manifest of the platform that is asked for', async () => {
    const { source, arm64, index } = two();
    const files = source.files([named(index, '1.0')]);
    const result = await chosen(files, { platform: 'linux/arm64/v8' });
    expect([result.digests, result.tags]).toEqual([[arm64.digest], { [arm64.digest]: ['1.0'] }]);
    expect((await chosen(files, { image: arm64.digest, tag: 'x' })).tags).toEqual({ [arm64.digest]: ['x'] });
    expect(await refusal(files, { platform: 'linux/ppc64le' })).toBe(
      'the source has no image for linux/ppc64le: choose one by --platform linux/amd64 or --platform linux/arm64',
    );
  });

  it('has variants, of which the usual one is meant where none is said', async () => {
    const source = new LayoutMembers();
    const images = ['linux/arm/v5', 'linux/arm/v7', 'linux/amd64', 'linux/amd64/v3'].map((platform) =>
      onPlatform(source.image(platform), platform),
    );
    const files = source.files([named(source.index(images), '1.0')]);
    const digestFor = async (platform: string) => (await chosen(files, { platform })).digests;
    expect(await digestFor('linux/arm')).toEqual([images[1]?.digest]);
    expect(await digestFor('linux/arm/v5')).toEqual([images[0]?.digest]);
    expect(await digestFor('linux/amd64')).toEqual([images[2]?.digest]);
    expect(await refusal(files, { platform: 'linux/arm/v6' })).toMatch(/no image for linux\/arm\/v6/);
  });

  it('gives its tag to the only platform that is there, and says which are not', async () => {
    const { source, amd64, arm64, index } = two();
    const attestation = onPlatform(source.image('unknown/unknown'), 'unknown/unknown');
    const attested = source.index([amd64, arm64, attestation]);
    for (const root of [index, attested]) {
      const result = await chosen(source.files([named(root, '1.0')], [arm64]));
      expect([result.digests, result.tags]).toEqual([[amd64.digest], { [amd64.digest]: ['1.0'] }]);
      expect(result.notes).toEqual([
        '1.0 is an index of which the source lacks linux/arm64: only linux/amd64 is pushed, and what tag there is goes to it',
      ]);
    }
  });

  it('is refused where several of its platforms are there and not all, with how to choose', async () => {
    const { source, amd64, arm64 } = two();
    const s390x = onPlatform(source.image('linux/s390x'), 'linux/s390x');
    const files = source.files([named(source.index([amd64, arm64, s390x]), '1.0')], [s390x]);
    expect(await refusal(files, { tag: 'x' })).toBe(
      '1.0 is an index of which the source lacks linux/s390x: choose one by --platform linux/amd64 or --platform linux/arm64, or push without a tag what is there by --all',
    );
    expect((await chosen(files, { platform: 'linux/arm64', tag: 'x' })).tags).toEqual({
      [arm64.digest]: ['x'],
    });
    expect(await refusal(files, { platform: 'linux/s390x' })).toMatch(
      /^the source names an image for linux\/s390x and does not hold it: choose one by --platform linux\/amd64 /,
    );
    const all = await chosen(files, { all: true });
    expect([all.digests, all.tags]).toEqual([[amd64.digest, arm64.digest], {}]);
    expect(await refusal(files, { all: true, tag: 'x' })).toMatch(/^the source holds several images/);
  });

  it('is also what index.json lists under one name, or under none, each for a platform', async () => {
    for (const name of [undefined, '1.0']) {
      const { source, amd64, arm64 } = two();
      const s390x = onPlatform(source.image('linux/s390x'), 'linux/s390x');
      const roots = [amd64, arm64, s390x].map((one) => (name === undefined ? one : named(one, name)));
      const one = await chosen(source.files(roots, [arm64, s390x]), { tag: 'x' });
      expect([one.digests, one.tags]).toEqual([[amd64.digest], { [amd64.digest]: ['x'] }]);
      expect(one.notes).toEqual([
        `${name ?? 'index.json'} is an index of which the source lacks linux/arm64 and linux/s390x: only linux/amd64 is pushed, and what tag there is goes to it`,
      ]);
      expect(await refusal(source.files(roots, [s390x]))).toMatch(
        /lacks linux\/s390x: choose one by --platform linux\/amd64 or --platform linux\/arm64, or push without/,
      );
      expect(await refusal(source.files(roots, [amd64, arm64, s390x]), { image: amd64.digest })).toMatch(
        /^the source has no blobs\/sha256\//,
      );
    }
  });

  it('counts a platform as there only with all its layers', async () => {
    const { source, amd64, index } = two();
    const arm64Layer = source.blob('layer 2', mediaTypes.layer);
    const result = await chosen(source.files([named(index, '1.0')], [arm64Layer]));
    expect(result.digests).toEqual([amd64.digest]);
  });

  it('is refused where none of its platforms is there', async () => {
    const { source, amd64, arm64, index } = two();
    expect(await refusal(source.files([named(index, '1.0')], [amd64, arm64]))).toMatch(
      new RegExp(`^the source has no blobs/sha256/[0-9a-f]{64}, which ${index.digest} names`),
    );
  });
});

describe('what refers to an image', () => {
  it('goes with it and keeps its own tag', async () => {
    const source = new LayoutMembers();
    const image = source.image();
    const [sbom, unnamed] = [source.artifact(image), source.artifact(image)];
    const files = source.files([named(image, '1.0'), named(sbom, 'sbom'), unnamed]);
    for (const tag of ['2.0', undefined]) {
      const result = await chosen(files, { tag });
      expect(result.tags).toEqual({ [image.digest]: [tag ?? '1.0'], [sbom.digest]: ['sbom'] });
      expect(result.digests).toEqual([image.digest, sbom.digest, unnamed.digest]);
    }
    expect(await refusal(files, { tag: 'sbom' })).toMatch(/^the source has several images for the tag sbom/);
    expect((await chosen(files, { image: 'sbom', tag: 'x' })).tags).toEqual({ [sbom.digest]: ['x'] });
  });

  it('stays behind with an image that is not chosen', async () => {
    const source = new LayoutMembers();
    const [app, web] = [source.image(), source.image()];
    const [ofApp, ofWeb] = [source.artifact(app), source.artifact(web)];
    const ofOfApp = source.artifact(ofApp);
    const files = source.files([named(app, 'app'), named(web, 'web'), ofOfApp, ofApp, ofWeb]);
    const { digests } = await chosen(files, { image: 'app' });
    expect(new Set(digests)).toEqual(new Set([app, ofApp, ofOfApp].map(({ digest }) => digest)));
  });

  it('alone is what was meant', async () => {
    const source = new LayoutMembers();
    const artifact = source.artifact(source.image());
    expect((await chosen(source.files([named(artifact, 'sbom')]), { tag: 'x' })).tags).toEqual({
      [artifact.digest]: ['x'],
    });
  });

  it('is no second image where a list of it is kept under a tag, as regctl does', async () => {
    const source = new LayoutMembers();
    const image = source.image();
    const artifact = source.artifact(image);
    const list = named(source.index([artifact]), image.digest.replace(':', '-'));
    const result = await chosen(source.files([named(image, '1.0'), list]), { tag: 'x' });
    expect(result.tags).toEqual({ [image.digest]: ['x'] });
    expect(result.digests).toEqual([image.digest, artifact.digest]);
  });

  it('has the tag where cosign looks for it, as cosign save lists it', async () => {
    const kind = 'dev.cosignproject.cosign/';
    for (const refName of [undefined, 'registry.example.com/app:1.0']) {
      const source = new LayoutMembers();
      const [image, signatures, attestations] = [source.image(), source.image(), source.image()];
      const files = source.files([
        ofKind(image, `${kind}image`, refName),
        ofKind(signatures, `${kind}sigs`, refName),
        ofKind(attestations, `${kind}atts`, refName),
      ]);
      const its = image.digest.replace(':', '-');
      expect((await chosen(files, { tag: 'x' })).tags).toEqual({
        [image.digest]: ['x'],
        [signatures.digest]: [`${its}.sig`],
        [attestations.digest]: [`${its}.att`],
      });
    }
  });
});

describe('what is no image', () => {
  it('is skipped, whatever it says, and reported', async () => {
    const source = new LayoutMembers();
    const image = source.image();
    const odd = { mediaType: 'application/xml', digest: 'sha512:0', size: -1 };
    const result = await chosen(source.files([odd, named(image, '1.0')]), { tag: 'x' });
    expect(result.tags).toEqual({ [image.digest]: ['x'] });
    expect(result.notes).toEqual(['sha512:0 is application/xml, which is no image, and is not pushed']);
  });

  it('is refused alone', async () => {
    const source = new LayoutMembers();
    const schema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    expect(await refusal(source.files([{ ...source.image(), mediaType: 'application/xml' }]))).toMatch(
      /index\.json in the source lists no images, but application\/xml$/,
    );
    expect(await refusal(source.files([{ ...source.image(), mediaType: schema1 }]))).toMatch(
      /schema 1 is nothing that ECR stores$/,
    );
  });
});

describe('what ECR cannot store is refused', () => {
  const manifest = (members: object, mediaType?: string) => {
    const source = new LayoutMembers();
    const config = source.blob('{}', mediaTypes.config);
    const layers = [source.blob('layer', mediaTypes.layer)];
    return { source, root: source.manifest({ config, layers, ...members }, mediaType) };
  };
  const empty = { mediaType: mediaTypes.layer, digest: sha256Of(''), size: 0 };
  const rows: [string, object, RegExp][] = [
    ['a layer without a byte', { layers: [empty] }, /has no bytes, and ECR takes no layer without any$/],
    ['a config without a byte', { config: empty }, /has no bytes, and ECR takes no layer without any$/],
    [
      'a layer of another digest',
      { layers: [{ ...empty, digest: `sha512:${'0'.repeat(128)}` }] },
      /^the source names sha512:0+, and ECR stores nothing under another digest than sha256$/,
    ],
    ['a manifest of schema 1', { schemaVersion: 1 }, /docker's schema 1, which ECR does not store$/],
    [
      'a manifest of an unknown type',
      { mediaType: 'application/vnd.example+json' },
      /says that it is application\/vnd\.example\+json, which is no manifest that ECR stores$/,
    ],
    [
      'a manifest that is too large for a request once it is escaped',
      { annotations: { a: '"'.repeat(1_000_000) } },
      /is too large for the API: in a request it takes \d+ bytes, and less than 6291456 are taken$/,
    ],
  ];
  it.each(rows)('%s', async (_, members, message) => {
    const { source, root } = manifest(members);
    const blob = source.blob('', mediaTypes.layer);
    expect(blob.size).toBe(0);
    await expect(refusal(source.files([named(root, '1.0')]))).resolves.toMatch(message);
  });

  it('an index of layers, which is a build cache, by the layer’s name', async () => {
    const source = new LayoutMembers();
    const layer = source.blob('layer', mediaTypes.layer);
    const cache = named(source.index([layer, source.image()]), 'latest');
    expect(await refusal(source.files([cache]))).toMatch(
      new RegExp(`is an index that lists ${layer.digest}, which is ${mediaTypes.layer}: `),
    );
  });

  it('an index of nothing', async () => {
    const source = new LayoutMembers();
    expect(await refusal(source.files([named(source.index([]), '1.0')]))).toMatch(
      /an index that lists nothing/,
    );
  });
});

it('what is pushed is printed with its names, its platform, its index and its subject', async () => {
  const { source, amd64, arm64, index } = two();
  const sbom = source.artifact(index);
  const { origins } = await chosen(
    source.files([fullyNamed(index, 'docker.io/library/app:1.0', '1.0'), sbom]),
  );
  expect(Object.fromEntries(origins)).toEqual({
    [amd64.digest]: { names: [], platform: 'linux/amd64', index: index.digest },
    [arm64.digest]: { names: [], platform: 'linux/arm64', index: index.digest },
    [index.digest]: { names: ['docker.io/library/app:1.0'] },
    [sbom.digest]: { names: [], subject: index.digest },
  });
});
