// The layers of docker archives are those that their config names, in any compression, or `push` refuses them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../../client/push/source.ts';
import { compressedLayers, compressedZeros, layer, skippedFrame } from '../support/compressed.ts';
import { type Member, sha256Of, tarOf } from '../support/hostile-archives.ts';
import { bytesOf, readSource } from '../support/sources.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-docker-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Bytes = Buffer | string;

/** `contents` are what the config says that `layers` are, unpacked. */
function saved(layers: readonly Bytes[], contents: readonly Bytes[], configName = 'config.json'): Member[] {
  const names = layers.map((_, at) => `${at}/layer.tar`);
  const config = { os: 'linux', rootfs: { type: 'layers', diff_ids: contents.map((one) => sha256Of(one)) } };
  const manifest = [{ Config: configName, RepoTags: ['app:1.0'], Layers: names }];
  return [
    ...layers.map((bytes, at) => ({ name: `${at}/layer.tar`, bytes })),
    { name: configName, bytes: JSON.stringify(config) },
    { name: 'manifest.json', bytes: JSON.stringify(manifest) },
  ];
}

async function written(members: readonly Member[]): Promise<string> {
  const path = join(directory, 'archive');
  await writeFile(path, tarOf(members));
  return path;
}

type PushedLayer = { mediaType: string; bytes: Buffer };

/** What a registry would get, in the manifest's order. */
async function layersOf(members: readonly Member[]): Promise<PushedLayer[]> {
  const { manifests, blobs, close } = await openSource(await written(members), { input: Readable.from([]) });
  try {
    const { layers }: { layers: { mediaType: string; digest: string; size: number }[] } = JSON.parse(
      manifests[0]?.text ?? '',
    );
    const pushed: PushedLayer[] = [];
    for (const { mediaType, digest, size } of layers) {
      const blob = blobs.find((one) => one.digest === digest);
      const bytes = blob ? await bytesOf(blob) : expect.fail(`${digest} is not there`);
      expect([sha256Of(bytes), bytes.length, blob?.size]).toEqual([digest, size, size]);
      pushed.push({ mediaType, bytes });
    }
    return pushed;
  } finally {
    await close();
  }
}

const tar = 'application/vnd.oci.image.layer.v1.tar';

describe('a layer of a docker archive is sent', () => {
  const frames = Buffer.concat([zstdCompressSync('lay'), skippedFrame('toc'), zstdCompressSync('er')]);
  const rows: [string, Buffer, string, Bytes][] = [
    ['as it is, where it is plain', Buffer.from(layer), tar, layer],
    ['as it is, where it is gzip', compressedLayers.gzip, `${tar}+gzip`, compressedLayers.gzip],
    ['as it is, where it is zstd', compressedLayers.zstd, `${tar}+zstd`, compressedLayers.zstd],
    ['as it is, where it is zstd of several frames', frames, `${tar}+zstd`, frames],
    ['unpacked, where it is xz', compressedLayers.xz, tar, layer],
    ['unpacked, where it is bzip2', compressedLayers.bzip2, tar, layer],
  ];
  it.each(rows)('%s', async (_, bytes, mediaType, sent) => {
    expect(await layersOf(saved([bytes], [layer]))).toEqual([{ mediaType, bytes: Buffer.from(sent) }]);
  });

  it('where kaniko, ko or crane has written it, with the config named by its digest', async () => {
    const { gzip } = compressedLayers;
    const [, config] = saved([gzip], [layer]);
    const members = saved([gzip], [layer], sha256Of(config?.bytes ?? ''));
    expect(await layersOf(members)).toEqual([{ mediaType: `${tar}+gzip`, bytes: gzip }]);
  });

  it('among others, each once', async () => {
    const { gzip, xz } = compressedLayers;
    const zeros = compressedZeros.bytes;
    const sent = await layersOf(
      saved([gzip, compressedZeros.xz, xz, compressedZeros.bzip2], [layer, zeros, layer, zeros]),
    );
    expect(sent.map(({ mediaType, bytes }) => [mediaType, bytes.length])).toEqual([
      [`${tar}+gzip`, gzip.length],
      [tar, zeros.length],
      [tar, layer.length],
      [tar, zeros.length],
    ]);
  });
});

describe('a docker archive is refused', () => {
  const [one, two] = [gzipSync('one'), gzipSync('two')];
  const another =
    /^(\d)\/layer\.tar in the source is damaged or in the wrong place: unpacked it is sha256:[0-9a-f]{64}, and its image's config names sha256:[0-9a-f]{64} there$/;
  const rows: [string, Member[], RegExp][] = [
    ['whose layers are in another order', saved([two, one], ['one', 'two']), another],
    ['whose plain layers are in another order', saved(['two', 'one'], ['one', 'two']), another],
    ['whose layer is there twice', saved([one, one], ['one', 'two']), another],
    ['whose layer has a changed byte', saved(['lAyer'], [layer]), another],
    ['whose plain layer is cut off', saved(['lay'], [layer]), another],
    ['whose layer has none of its bytes', saved([''], [layer]), another],
    [
      'whose gzip layer has zeros behind it',
      saved([Buffer.concat([compressedLayers.gzip, Buffer.alloc(9)])], [layer]),
      /^0\/layer\.tar in the source cannot be unpacked: its gzip data is damaged/,
    ],
    [
      'whose config is not what its name says, in a layout',
      saved([layer], [layer], `blobs/sha256/${'0'.repeat(64)}`),
      /^blobs\/sha256\/0{64} in the source is damaged: it has another digest$/,
    ],
    [
      'whose config is not what its name says',
      saved([layer], [layer], `sha256:${'0'.repeat(64)}`),
      /^sha256:0{64} in the source is damaged: it has another digest$/,
    ],
  ];
  it.each(rows)('%s', async (_, members, message) => {
    expect(await readSource(await written(members))).toMatch(message);
  });

  it.each(Object.entries(compressedLayers))('whose %s layer is cut off', async (name, bytes) => {
    expect(await readSource(await written(saved([bytes.subarray(0, -4)], [layer])))).toBe(
      `0/layer.tar in the source cannot be unpacked: its ${name} data is damaged or cut off`,
    );
  });

  it('whose layers unpack to more than they may, together', async () => {
    const zeros = Buffer.alloc(100 * 1_048_576);
    const layers = ['a', 'b', 'c'].map((name) => gzipSync(Buffer.concat([zeros, Buffer.from(name)])));
    const contents = ['a', 'b', 'c'].map((name) => Buffer.concat([zeros, Buffer.from(name)]));
    const path = await written(saved(layers, contents));
    expect(await readSource(path)).toMatch(
      /^the layers of the source take more than 268435456 bytes unpacked, in 2\/layer\.tar: if you trust it, give a larger --max-unpacked-size$/,
    );
    expect(await readSource(path, { maxUnpackedBytes: 400 * 1_048_576 })).toHaveProperty('roots');
  });

  it('whose xz layer takes more of the disk than it may', async () => {
    const path = await written(saved([compressedZeros.xz], [compressedZeros.bytes]));
    expect(await readSource(path, { maxUnpackedBytes: 100_000 })).toMatch(
      /^0\/layer\.tar in the source takes more than 100000 bytes unpacked: if you trust it/,
    );
  });
});
