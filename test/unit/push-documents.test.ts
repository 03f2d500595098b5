// What `push` refuses of a source's documents, in words of its own: archives that are whole, with one fault in a text.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layout, type Member, savedImage, sha256Of, tarOf } from '../support/hostile-archives.ts';
import { type Read, readSource } from '../support/sources.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-documents-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function readArchive(bytes: Uint8Array): Promise<Read> {
  const path = join(directory, 'archive');
  await writeFile(path, bytes);
  return readSource(path);
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

describe('a document is refused, by its name,', () => {
  const listed = (members: object) =>
    savedImage({
      manifest: [{ Config: 'config.json', RepoTags: null, Layers: ['one/layer.tar'], ...members }],
    });
  const index = (root: object, more: object = {}) =>
    layout({
      index: { manifests: [{ mediaType: manifestType, digest: sha256Of('x'), size: 1, ...root }], ...more },
    });
  const rows: [string, Member[], RegExp][] = [
    ['that is not JSON', savedImage({ manifest: '[{' }), /^manifest\.json in the source is not JSON$/],
    ['that is empty', savedImage({ config: Buffer.alloc(0) }), /^config\.json in the source is not JSON$/],
    [
      'that is null',
      savedImage({ manifest: 'null' }),
      /^manifest\.json in the source is damaged: it is missing or not a list$/,
    ],
    [
      'that begins with a byte order mark',
      savedImage({ manifest: '\ufeff[]' }),
      /^manifest\.json in the source is not JSON: it begins with a byte order mark$/,
    ],
    [
      'that is not UTF-8',
      savedImage({ config: Buffer.from('{"\xe4":1}', 'latin1') }),
      /^config\.json in the source is not JSON: it is not UTF-8$/,
    ],
    ['that lists nothing', savedImage({ manifest: [] }), /^manifest\.json in the source lists no images$/],
    [
      'whose layers are an object',
      listed({ Layers: {} }),
      /^manifest\.json in the source is damaged: \[0\]\.Layers is missing or not a list$/,
    ],
    ['whose layer is a number', listed({ Layers: [1] }), /\[0\]\.Layers\[0\] is missing or not text$/],
    ['whose tag is a number', listed({ RepoTags: [1] }), /\[0\]\.RepoTags\[0\] is missing or not text$/],
    [
      'whose tag is half a surrogate pair',
      savedImage({
        manifest: '[{"Config":"config.json","RepoTags":["app:\\ud800"],"Layers":["one/layer.tar"]}]',
      }),
      /manifest\.json in the source holds text that is not well-formed/,
    ],
    [
      'whose tag is not printable',
      savedImage({ tag: 'app:\u001b[2J' }),
      /RepoTags\[0\] holds characters that cannot be printed$/,
    ],
    [
      'whose member is named by half a surrogate pair',
      savedImage({ config: '{"\\udfff":1}' }),
      /config\.json in the source holds text that is not well-formed/,
    ],
    ['without a config', savedImage({ manifest: [{}] }), /\[0\]\.Config is missing or not text$/],
    [
      'whose layer lies outside',
      listed({ Layers: ['../../etc/passwd'] }),
      /names \.\.\/\.\.\/etc\/passwd, which is no path within it$/,
    ],
    [
      'whose layer has an absolute path',
      listed({ Layers: ['/etc/passwd'] }),
      /names \/etc\/passwd, which is no path within it$/,
    ],
    [
      'whose layer has a zero byte',
      listed({ Layers: ['a\0b'] }),
      /names a\\u\{0\}b, which is no path within it$/,
    ],
    [
      'whose config has an endless name',
      listed({ Config: 'x'.repeat(10_000) }),
      /names x{200}…, which is no path within it$/,
    ],
    [
      'whose config has a digest that is a path',
      savedImage({ config: { rootfs: { diff_ids: ['sha256:../../etc/passwd'] } } }),
      /config\.json in the source is damaged: rootfs\.diff_ids\[0\] is not a sha256 digest$/,
    ],
    [
      'whose config has fewer layers',
      savedImage({ config: { rootfs: { diff_ids: [] } } }),
      /config\.json in the source is no config of an image of 1 layers$/,
    ],
    [
      'whose prototype is no object',
      savedImage({ config: '{"__proto__":{"rootfs":{"diff_ids":[]}}}' }),
      /config\.json in the source is damaged: rootfs is missing/,
    ],
    [
      'that is too long',
      savedImage({ config: ' '.repeat(4_194_305) }),
      /^config\.json in the source has 4194305 bytes, and 4194304 at most are read$/,
    ],
    [
      'that is all brackets',
      savedImage({ config: '['.repeat(4_000_000) }),
      /^config\.json in the source has more members and elements than are read$/,
    ],
    [
      'that is nested deep',
      savedImage({ config: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }),
      /^config\.json in the source is damaged: it is missing or not an object$/,
    ],
    [
      'whose list is too long',
      savedImage({ config: { rootfs: { diff_ids: Array(10_001).fill(1) } } }),
      /rootfs\.diff_ids has more than 10000 elements$/,
    ],
    [
      'whose manifests are null',
      layout({ index: { manifests: null } }),
      /^index\.json in the source lists no images$/,
    ],
    [
      'whose manifests are text',
      layout({ index: { manifests: 'x' } }),
      /^index\.json in the source is damaged: manifests is missing or not a list$/,
    ],
    ['whose digest is a number', index({ digest: 1 }), /manifests\[0\]\.digest is missing or not text$/],
    [
      'whose digest is a path',
      index({ digest: 'sha256:../../etc/passwd' }),
      /manifests\[0\]\.digest is not a sha256 digest$/,
    ],
    [
      'whose digest has a line behind it',
      index({ digest: `${sha256Of('x')}\n` }),
      /manifests\[0\]\.digest is not a sha256 digest$/,
    ],
    ['whose size is negative', index({ size: -1 }), /manifests\[0\]\.size is not a size$/],
    ['whose size has a fraction', index({ size: 0.5 }), /manifests\[0\]\.size is missing or not a size$/],
    [
      'whose media type would end a line',
      index({ mediaType: 'a\r\nb: c' }),
      /manifests\[0\]\.mediaType holds characters that cannot be printed$/,
    ],
    [
      'whose name is a number',
      layout({ refName: 1 }),
      /annotations\.org\.opencontainers\.image\.ref\.name is missing or not text$/,
    ],
    [
      'that is not there',
      index({}),
      new RegExp(`^the source has no blobs/sha256/${sha256Of('x').slice(7)}$`),
    ],
    [
      'that is a manifest and not JSON',
      layout({ manifest: 'not json' }),
      new RegExp(`^blobs/sha256/${sha256Of('not json').slice(7)} in the source is not JSON$`),
    ],
  ];
  it.each(rows)('%s', async (_, members, message) => {
    expect(await readArchive(tarOf(members))).toMatch(message);
  });

  it('that is an index too deep, or one of too many manifests', async () => {
    const type = 'application/vnd.oci.image.index.v1+json';
    const descriptor = (text: string) => ({ mediaType: type, digest: sha256Of(text), size: text.length });
    const nested = [JSON.stringify({ manifests: [] })];
    for (let depth = 0; depth < 20; depth += 1) {
      nested.push(JSON.stringify({ manifests: [descriptor(nested.at(-1) ?? '')] }));
    }
    const source = (index: object, blobs: string[]) =>
      tarOf([
        ...layout({ index }).slice(0, 2),
        ...blobs.map((bytes) => ({ name: `blobs/sha256/${sha256Of(bytes).slice(7)}`, bytes })),
      ]);
    expect(await readArchive(source({ manifests: [descriptor(nested.at(-1) ?? '')] }, nested))).toMatch(
      /is in an index more than 8 deep/,
    );
    const many = Array.from({ length: 10_001 }, (_, at) => `{"at":${at}}`);
    const halves = [many.slice(0, 5_000), many.slice(5_000)].map((half) =>
      JSON.stringify({ manifests: half.map(descriptor) }),
    );
    expect(await readArchive(source({ manifests: halves.map(descriptor) }, [...many, ...halves]))).toMatch(
      /more than 10000 manifests/,
    );
  });
});
