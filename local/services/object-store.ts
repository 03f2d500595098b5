// What the local S3 keeps: each object one file, which only another whole one replaces, as S3 writes them.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { S3Object, Store, Written } from '@20minutes/s3rver';
import { z } from 'zod';

const unfinished = '.new';
const lineEnd = 0x0a;

/** The first line of a file, before the object's bytes. */
const headSchema = z.object({
  md5: z.string(),
  lastModified: z.string(),
  metadata: z.record(z.string(), z.string()),
});

/** Said anew of each object when it is read. */
const ofTheObject: ReadonlySet<string> = new Set(['etag', 'last-modified', 'content-length']);

/** In place of s3rver's own store, which writes an object's bytes and its metadata over the old ones, one by one. */
export class ObjectStore implements Store {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async putBucket(bucket: string): Promise<void> {
    const directory = join(this.#directory, bucket);
    await mkdir(directory, { recursive: true });
    const names = await readdir(directory);
    const left = names.filter((name) => name.endsWith(unfinished));
    await Promise.all(left.map((name) => rm(join(directory, name))));
  }

  async getBucket(bucket: string): Promise<object | null> {
    return existsSync(join(this.#directory, bucket)) ? { name: bucket } : null;
  }

  /** CORS, websites, tags: nothing has any. */
  async getSubresource(): Promise<null> {
    return null;
  }

  async existsObject(bucket: string, key: string): Promise<boolean> {
    return existsSync(this.#pathOf(bucket, key));
  }

  async getObject(
    bucket: string,
    key: string,
    { start, end }: { start?: number; end?: number } = {},
  ): Promise<S3Object | null> {
    const found = await this.#read(bucket, key);
    if (!found) {
      return null;
    }
    const { md5, lastModified, bytes } = found;
    const metadata = {
      ...found.metadata,
      etag: `"${md5}"`,
      'last-modified': lastModified,
      'content-length': String(bytes.length),
    };
    const object = { bucket, key, metadata, size: bytes.length, lastModifiedDate: new Date(lastModified) };
    if (start === undefined) {
      return { ...object, content: Readable.from([bytes], { objectMode: false }) };
    }
    const range = { start, end: Math.min(end ?? bytes.length - 1, bytes.length - 1) };
    return range.end < start
      ? { ...object, range }
      : { ...object, range, content: Readable.from([bytes.subarray(start, range.end + 1)]) };
  }

  /** @throws Error where the content breaks off; then nothing is written */
  async putObject({ bucket, key, content, metadata }: S3Object): Promise<Written> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content ?? []) {
      chunks.push(Buffer.from(chunk));
    }
    const bytes = Buffer.concat(chunks);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const own = Object.entries(metadata).filter(([name]) => !ofTheObject.has(name));
    const head = { md5, lastModified: new Date().toUTCString(), metadata: Object.fromEntries(own) };
    const path = this.#pathOf(bucket, key);
    await writeFile(`${path}${unfinished}`, [`${JSON.stringify(head)}\n`, bytes]);
    await rename(`${path}${unfinished}`, path);
    return { size: bytes.length, md5 };
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    await rm(this.#pathOf(bucket, key), { force: true });
  }

  async #read(bucket: string, key: string) {
    const path = this.#pathOf(bucket, key);
    if (!existsSync(path)) {
      return undefined;
    }
    const file = await readFile(path);
    const endOfHead = file.indexOf(lineEnd);
    const head = headSchema.parse(JSON.parse(file.toString('utf8', 0, endOfHead)));
    return { ...head, bytes: file.subarray(endOfHead + 1) };
  }

  /** Keys hold slashes, and may be longer than a file name may be. */
  #pathOf(bucket: string, key: string): string {
    return join(this.#directory, bucket, createHash('sha256').update(key).digest('hex'));
  }
}
