// The forms of a source that tools write, each made small by code: which it is taken for, and what it is pushed as.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../../client/push/source.ts';
import { compressedLayers, layer } from '../support/compressed.ts';
import { type Member, sha256Of, tarOf, writeMembers } from '../support/hostile-archives.ts';
import { readSource } from '../support/sources.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-forms-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';

type Blob = { mediaType: string; bytes: string };

const descriptorOf = ({ mediaType, bytes }: Blob) => ({
  mediaType,
  digest: sha256Of(bytes),
  size: Buffer.byteLength(bytes),
});

const hexOf = (bytes: string): string => sha256Of(bytes).slice(7);

const config: Blob = {
  mediaType: `${oci}.config.v1+json`,
  bytes: JSON.stringify({ os: 'linux', rootfs: { type: 'layers', diff_ids: [sha256Of(layer)] } }),
};
const plainLayer: Blob = { mediaType: `${oci}.layer.v1.tar`, bytes: layer };

const imageOf = (layers: readonly Blob[], members: object = {}): Blob => ({
  mediaType: `${oci}.manifest.v1+json`,
  bytes: JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    ...members,
  }),
});

const indexOf = (manifests: readonly Blob[]): Blob => ({
  mediaType: `${oci}.index.v1+json`,
  bytes: JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: manifests.map((one, at) => ({
      ...descriptorOf(one),
      platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
    })),
  }),
});

const image = imageOf([plainLayer]);
const other = imageOf([{ ...plainLayer, bytes: 'other' }]);

const layoutFile: Member = { name: 'oci-layout', bytes: '{"imageLayoutVersion":"1.0.0"}' };

const indexJson = (root: Blob): Member => ({
  name: 'index.json',
  bytes: JSON.stringify({
    schemaVersion: 2,
    manifests: [{ ...descriptorOf(root), annotations: { 'org.opencontainers.image.ref.name': '1.0' } }],
  }),
});

const blobs = (...of: readonly Blob[]): Member[] =>
  of.map(({ bytes }) => ({ name: `blobs/sha256/${hexOf(bytes)}`, bytes }));

const dockerHalf = (RepoTags: string[] | null = ['app:1.0']): Member => ({
  name: 'manifest.json',
  bytes: JSON.stringify([
    { Config: `blobs/sha256/${hexOf(config.bytes)}`, RepoTags, Layers: [`blobs/sha256/${hexOf(layer)}`] },
  ]),
});

/** As a tool writes them into a folder, with the manifest in manifest.json. */
const dockerDir = (manifest: Blob, ...of: readonly Blob[]): Member[] => [
  { name: 'version', bytes: 'Directory Transport Version: 1.1\n' },
  { name: 'manifest.json', bytes: manifest.bytes },
  ...of.map(({ bytes }) => ({ name: hexOf(bytes), bytes })),
];

let made = 0;
const asFolder = (members: readonly Member[]): Promise<string> =>
  writeMembers(join(directory, `folder-${made++}`), members);

async function asArchive(members: readonly Member[], pack = (bytes: Buffer) => bytes): Promise<string> {
  const path = join(directory, `archive-${made++}`);
  await writeFile(path, pack(tarOf(members)));
  return path;
}

/** The texts of the manifests that would be put, and that every blob is what its digest says. */
async function manifestsOf(source: string): Promise<string[]> {
  const read = await readSource(source);
  if (typeof read === 'string') {
    expect.fail(read);
  }
  for (const [digest, bytes] of read.blobs) {
    expect(sha256Of(bytes)).toBe(digest);
  }
  const { manifests, close } = await openSource(source, { input: Readable.from([]) });
  await close();
  return manifests.map(({ text }) => text);
}

describe('a source is pushed', () => {
  const whole = [layoutFile, indexJson(image), ...blobs(image, config, plainLayer)];
  const list = indexOf([image, image]);
  const schema2 = {
    mediaType: `${docker}.distribution.manifest.v2+json`,
    bytes: imageOf([plainLayer], { mediaType: `${docker}.distribution.manifest.v2+json` }).bytes,
  };
  const untyped = imageOf([plainLayer], { mediaType: undefined });
  const foreign = imageOf([
    plainLayer,
    { mediaType: `${docker}.image.rootfs.foreign.diff.tar.gzip`, bytes: 'of Windows' },
  ]);
  const rows: [string, Member[], string[]][] = [
    [
      'as both halves, with a layer that nobody has to hold',
      [layoutFile, indexJson(foreign), dockerHalf(), ...blobs(foreign, config, plainLayer)],
      [foreign.bytes],
    ],
    ['as umoci, skopeo and crane write a layout', whole, [image.bytes]],
    ['as buildx writes one into a folder, without oci-layout', whole.slice(1), [image.bytes]],
    ['as docker 25 and containerd write both halves', [...whole, dockerHalf()], [image.bytes]],
    ['as skopeo writes dir:', dockerDir(image, config, plainLayer), [image.bytes]],
    [
      'as podman writes docker-dir, with the manifest of docker',
      dockerDir(schema2, config, plainLayer),
      [schema2.bytes],
    ],
    [
      'as skopeo writes dir: of a manifest without its media type',
      dockerDir(untyped, config, plainLayer),
      [untyped.bytes],
    ],
    [
      'as skopeo writes dir: of all platforms',
      [
        ...dockerDir(list, config, plainLayer),
        { name: `${hexOf(image.bytes)}.manifest.json`, bytes: image.bytes },
      ],
      [image.bytes, list.bytes],
    ],
  ];
  it.each(rows)('%s', async (_, members, texts) => {
    expect(await manifestsOf(await asFolder(members))).toEqual(texts);
    expect(await manifestsOf(await asArchive(members))).toEqual(texts);
    expect(await manifestsOf(await asArchive(members, gzipSync))).toEqual(texts);
    expect(await manifestsOf(await asArchive(members, zstdCompressSync))).toEqual(texts);
  });

  it.each([
    ['xz', compressedLayers.xz],
    ['bzip2', compressedLayers.bzip2],
  ])('also packed by %s: what is in it is looked at', async (name, bytes) => {
    const path = join(directory, `packed.${name}`);
    await writeFile(path, bytes);
    expect(await readSource(path)).toMatch(/packed\.\w+ is no tar archive$/);
  });
});

describe('of two halves, the complete one is pushed', () => {
  const dockersOwn = (text: string | undefined) => JSON.parse(text ?? '');
  const rows: [string, Member[]][] = [
    ['where index.json is empty', [{ name: 'index.json', bytes: '{"schemaVersion":2,"manifests":[]}' }]],
    ['where index.json lists null', [{ name: 'index.json', bytes: '{"schemaVersion":2,"manifests":null}' }]],
    ['where index.json is null', [{ name: 'index.json', bytes: 'null' }]],
    ['where index.json is damaged', [{ name: 'index.json', bytes: '{' }]],
    ['where the image of index.json is not there', [indexJson(other)]],
    ['where a layer of its image is not there', [indexJson(other), ...blobs(other)]],
    [
      'where none of its platforms is there',
      [indexJson(indexOf([other, other])), ...blobs(indexOf([other, other]))],
    ],
  ];
  it.each(rows)('%s', async (_, index) => {
    const path = await asArchive([layoutFile, ...index, dockerHalf(), ...blobs(config, plainLayer)]);
    const texts = await manifestsOf(path);
    expect(texts.map(dockersOwn)).toEqual([
      expect.objectContaining({ config: descriptorOf(config), layers: [descriptorOf(plainLayer)] }),
    ]);
  });

  it('and of two that are incomplete, the layout says what is missing', async () => {
    const path = await asArchive([layoutFile, indexJson(other), dockerHalf(), ...blobs(plainLayer)]);
    expect(await readSource(path)).toContain(hexOf(other.bytes));
  });
});

describe('a source is refused', () => {
  const latin1 = Buffer.from('{"schemaVersion":2,"author":"J\xf6rg"}', 'latin1');
  const rows: [string, Member[], RegExp][] = [
    [
      'that is neither',
      [{ name: 'x', bytes: '' }],
      /neither an OCI layout nor a docker archive nor a folder of skopeo/,
    ],
    ['that is a layout without its index', [layoutFile], /is an OCI layout without its index\.json$/],
    [
      'that docker wrote before 1.10',
      [
        { name: 'repositories', bytes: '{}' },
        { name: 'a/layer.tar', bytes: layer },
      ],
      /without a manifest\.json, as docker wrote it before 1\.10: load it with a docker of before 29/,
    ],
    [
      'whose manifest in a dir: is of schema 1',
      [{ name: 'manifest.json', bytes: '{"schemaVersion":1}' }],
      /^manifest\.json in the source is of docker's schema 1, which ECR does not store$/,
    ],
    [
      'whose manifest in a dir: is not UTF-8',
      [{ name: 'manifest.json', bytes: latin1 }],
      /^manifest\.json in the source is not JSON: it is not UTF-8$/,
    ],
    [
      'whose manifest in a layout is not UTF-8',
      [
        layoutFile,
        {
          name: 'index.json',
          bytes: JSON.stringify({
            manifests: [
              { mediaType: `${oci}.manifest.v1+json`, digest: sha256Of(latin1), size: latin1.length },
            ],
          }),
        },
        { name: `blobs/sha256/${sha256Of(latin1).slice(7)}`, bytes: latin1 },
      ],
      /^blobs\/sha256\/[0-9a-f]{64} in the source is not JSON: it is not UTF-8$/,
    ],
  ];
  it.each(rows)('%s', async (_, members, message) => {
    expect(await readSource(await asFolder(members))).toMatch(message);
    expect(await readSource(await asArchive(members))).toMatch(message);
  });

  it('whose dir: lacks a blob', async () => {
    const read = await readSource(await asFolder(dockerDir(image, config)));
    expect(read).toContain(hexOf(layer));
  });
});
