// The image of the registry endpoint as an OCI layout: what it is made of, always the same, pushable as it is, and the
// one that synth asks for.

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { App, Stack } from 'aws-cdk-lib';
import { extract } from 'tar-stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeImageLayout } from '../../bin/image-layout.ts';
import { chooseImages } from '../../client/push/choice.ts';
import { openSource } from '../../client/push/source.ts';
import { ConfigurationError } from '../../lib/configuration/configuration.ts';
import { serverBundle } from '../../lib/functions/bundling.ts';
import { hashOf } from '../../lib/functions/function-code.ts';
import { checkedPolicies, type PolicyFiles, policySource } from '../../lib/policies.ts';
import { assertContents } from '../../lib/registry-endpoint/image-contents.ts';
import { buildLayouts, type Layouts } from '../support/oci-layout.ts';
import { digestOf } from '../support/random-bytes.ts';

const bundle = new Map([
  ['server.mjs', Buffer.from('export {};')],
  ['policies/schema.cedarschema', Buffer.from('entity Client;')],
]);

const folder = () => mkdtempSync(join(tmpdir(), 'image-'));

let layouts: Layouts;
beforeAll(async () => {
  layouts = await buildLayouts(folder(), 1_000);
});

async function written(base: string, node?: string) {
  const out = folder();
  const named = await writeImageLayout({ base, bundle, node, out });
  const blob = (digest: string) => readFileSync(join(out, 'blobs/sha256', digest.slice('sha256:'.length)));
  const manifest = JSON.parse(blob(named.digest).toString());
  return { ...named, out, blob, manifest, config: JSON.parse(blob(manifest.config.digest).toString()) };
}

type Entry = { name: string; type: string; mode: string; linkname?: string | undefined };

async function entriesOf(tar: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of Readable.from([tar]).pipe(extract())) {
    const { name, type, mode = 0, linkname } = entry.header;
    entries.push({ name, type, mode: mode.toString(8), ...(linkname && { linkname }) });
    entry.resume();
  }
  return entries;
}

describe('the image of the registry endpoint', () => {
  it('is the base for arm64 with a layer of the bundle, and runs the server as nobody', async () => {
    const { manifest, config, blob } = await written(layouts.directories.multi);
    expect(config).toMatchObject({
      architecture: 'arm64',
      config: {
        Entrypoint: ['/opt/ecr-upload-proxy/node'],
        Cmd: ['/opt/ecr-upload-proxy/server.mjs'],
        User: '65532',
      },
    });
    const added = manifest.layers.at(-1);
    const tar = gunzipSync(blob(added.digest));
    expect(manifest.layers).toHaveLength(3);
    expect(config.rootfs.diff_ids.at(-1)).toBe(digestOf(tar));
    expect(await entriesOf(tar)).toEqual([
      { name: 'opt/', type: 'directory', mode: '755' },
      { name: 'opt/ecr-upload-proxy/', type: 'directory', mode: '755' },
      { name: 'opt/ecr-upload-proxy/policies/', type: 'directory', mode: '755' },
      {
        name: 'opt/ecr-upload-proxy/node',
        type: 'symlink',
        mode: '777',
        linkname: '/usr/local/bin/node',
      },
      { name: 'opt/ecr-upload-proxy/policies/schema.cedarschema', type: 'file', mode: '644' },
      { name: 'opt/ecr-upload-proxy/server.mjs', type: 'file', mode: '644' },
    ]);
  });

  it('is the same image whenever it is made of the same, under a tag that says of what', async () => {
    const [one, other] = [await written(layouts.directories.multi), await written(layouts.directories.multi)];
    expect(one.digest).toBe(other.digest);
    expect(one.contents).toBe(hashOf(bundle));
  });

  it('is what push pushes: whole, and tagged', async () => {
    const { out, digest, contents } = await written(layouts.directories.multi);
    const source = await openSource(out, {
      input: Readable.from([]),
      maxUnpackedBytes: undefined,
      signal: undefined,
    });
    const chosen = await chooseImages(source, { tag: contents });
    await source.close();
    expect([...chosen.tags]).toEqual([[digest, [contents]]]);
  });

  it('takes Node.js from the given place', async () => {
    const { manifest, blob } = await written(layouts.directories.multi, '/nodejs/bin/node');
    const entries = await entriesOf(gunzipSync(blob(manifest.layers.at(-1).digest)));
    expect(entries.find(({ type }) => type === 'symlink')?.linkname).toBe('/nodejs/bin/node');
  });

  it('is not made of a base for another platform', async () => {
    await expect(written(layouts.directories.single)).rejects.toThrow(/no image for linux\/arm64/);
  });
});

describe('synth', () => {
  const { files } = checkedPolicies(policySource);
  const contents = hashOf(serverBundle(files));
  const imageOf = (tag: string) =>
    `123456789012.dkr.ecr.eu-central-1.amazonaws.com/ops/registry-endpoint:${tag}@sha256:${'b'.repeat(64)}`;
  const check = (image: string, policies: PolicyFiles, context: Record<string, unknown> = {}) =>
    assertContents(new Stack(new App({ context })), image, policies);

  it('takes an image of the server and the policies that are here', () => {
    check(imageOf(contents), files);
  });

  const [name = ''] = files.keys();
  it.each<[string, string, PolicyFiles]>([
    ['another server', 'a'.repeat(64), files],
    [
      'a policy that has changed by one byte',
      contents,
      new Map([...files, [name, Buffer.concat([files.get(name) ?? Buffer.of(), Buffer.from(' ')])]]),
    ],
    ['a policy less', contents, new Map([...files].slice(1))],
    ['a policy more', contents, new Map([...files, ['more.cedar', Buffer.from('')]])],
  ])('refuses an image of %s, and says how to make the right one', (_, tag, policies) => {
    const expected = hashOf(serverBundle(policies));
    expect(() => check(imageOf(tag), policies)).toThrow(
      new ConfigurationError(
        `registryEndpoint.image holds another server or other policies (${tag}) than these (${expected}). Make one with "npm run registry-image", push it, and put what that prints into the configuration.`,
      ),
    );
  });

  it('does not compare where nothing is bundled, as for cdk list', () => {
    check(imageOf('a'.repeat(64)), files, { 'aws:cdk:bundling-stacks': [] });
  });
});
