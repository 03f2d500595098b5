// The image that the demo builds: exact sizes, readable by anyone, the same for the same seed.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSize } from '../../api/limits.ts';
import { buildImage, type Image, layerPlans } from '../../local/demo/image.ts';
import { digestOf } from '../support/random-bytes.ts';

const unzip = promisify(gunzip);

describe("the demo's image", () => {
  const seed = 'a-seed';
  const big = 64 * 1_048_576;
  // The big layer shrinks here: the others are what needs their exact size.
  const plans = layerPlans.map((plan) => (plan.fileBytes >= big ? { ...plan, fileBytes: 100_000 } : plan));
  let directory: string;
  let image: Image;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'demo-image-'));
    image = await buildImage(directory, seed, { plans });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('has a big layer that does not compress, one under the part size, one of two parts and one of three', () => {
    expect(layerPlans.some(({ fileBytes }) => fileBytes >= big)).toBe(true);
    const sizes = image.layers.map(({ size }) => size);
    expect(sizes.some((size) => size < partSize)).toBe(true);
    expect(sizes).toContain(2 * partSize);
    expect(sizes).toContain(3 * partSize);
  });

  it('has layers whose digests, sizes and diff ids are those of their bytes, with the files in them', async () => {
    const { rootfs } = JSON.parse(await readFile(image.config.path, 'utf8'));
    for (const [index, { path, digest, size }] of image.layers.entries()) {
      const blob = await readFile(path);
      expect([blob.length, digestOf(blob)]).toEqual([size, digest]);
      const tar = plans[index]?.compression === 'gzip' ? await unzip(blob) : blob;
      expect(rootfs.diff_ids[index]).toBe(digestOf(tar));
      const entries: [string, number | undefined][] = [];
      const reader = extract();
      reader.end(tar);
      for await (const entry of reader) {
        entries.push([entry.header.name, entry.header.size]);
        entry.resume();
      }
      expect(entries).toContainEqual([plans[index]?.file, plans[index]?.fileBytes]);
    }
  });

  it('has a manifest of its config and layers', () => {
    const parsed = JSON.parse(image.manifest);
    const named = [parsed.config, ...parsed.layers];
    expect(named).toEqual(
      [image.config, ...image.layers].map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    );
    expect(image.digest).toBe(digestOf(image.manifest));
  });

  it('is the same for the same seed, and another for another', async () => {
    const build = (name: string) =>
      buildImage(join(directory, 'again'), name, {
        plans: [{ name: 'base', file: 'a/b', fileBytes: 999, compression: 'gzip' }],
      });
    const { digest } = await build(seed);
    expect((await build(seed)).digest).toBe(digest);
    expect((await build('another')).digest).not.toBe(digest);
  });
});
