// One repository on disk: its state.json, the bytes of its layers and its manifests.

import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { formatState, parseState, type RepositoryState } from './repository-state.ts';

/**
 * A process killed at any moment leaves a repository that opens again: bytes are written first, at the position
 * that the state records as their end, and count only once a state naming them has replaced the old one by
 * rename. (A power cut is another matter: nothing is synced.)
 */
export class Repository {
  readonly #directory: string;
  #state: RepositoryState;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(directory: string, state: RepositoryState) {
    this.#directory = directory;
    this.#state = state;
  }

  get state(): Readonly<RepositoryState> {
    return this.#state;
  }

  static async create(directory: string, state: RepositoryState): Promise<Repository> {
    await mkdir(join(directory, 'uploads'), { recursive: true });
    await mkdir(join(directory, 'manifests'), { recursive: true });
    const repository = new Repository(directory, state);
    await repository.commit(state);
    return repository;
  }

  /** @throws {Error} when bytes that the state records are not there. */
  static async open(directory: string): Promise<Repository> {
    const state = parseState(await readFile(join(directory, 'state.json'), 'utf8'));
    const repository = new Repository(directory, state);
    await repository.#dropUnrecordedBytes();
    return repository;
  }

  /**
   * Runs `work` when all work before it is done: who changes the state reads it in here.
   * @throws {Error} once the repository is closed
   */
  exclusively<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#last.then(() => {
      if (this.#isClosed) {
        throw new Error(`${this.#state.repositoryName} is closed`);
      }
      return work();
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Waits for the work begun; from then on the directory may be opened again. */
  async close(): Promise<void> {
    await this.exclusively(async () => {
      this.#isClosed = true;
    });
  }

  async commit(state: RepositoryState): Promise<void> {
    const path = join(this.#directory, 'state.json');
    await writeFile(`${path}.new`, formatState(state));
    await rename(`${path}.new`, path);
    this.#state = state;
  }

  async writeUpload(uploadId: string, position: number, bytes: Buffer): Promise<void> {
    const file = await open(this.#uploadPath(uploadId), constants.O_RDWR | constants.O_CREAT);
    try {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
        written += bytesWritten;
      }
    } finally {
      await file.close();
    }
  }

  /** The first `sizeBytes` of what came by an upload, from `start` on; `sizeBytes` is at least 1. */
  readUpload(uploadId: string, sizeBytes: number, start = 0): Readable {
    return createReadStream(this.#uploadPath(uploadId), { start, end: sizeBytes - 1 });
  }

  async hashUpload(uploadId: string, sizeBytes: number): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.readUpload(uploadId, sizeBytes)) {
      hash.update(chunk);
    }
    return `sha256:${hash.digest('hex')}`;
  }

  async writeManifest(digest: string, bytes: Buffer): Promise<void> {
    await writeFile(this.#manifestPath(digest), bytes);
  }

  readManifest(digest: string): Promise<Buffer> {
    return readFile(this.#manifestPath(digest));
  }

  #uploadPath(uploadId: string): string {
    return join(this.#directory, 'uploads', uploadId);
  }

  #manifestPath(digest: string): string {
    return join(this.#directory, 'manifests', digest.replace(':', '-'));
  }

  async #dropUnrecordedBytes(): Promise<void> {
    const { uploads, layers, images } = this.#state;
    const recorded = new Map<string, number>();
    for (const [uploadId, { sizeBytes }] of uploads) {
      recorded.set(this.#uploadPath(uploadId), sizeBytes);
    }
    for (const { uploadId, sizeBytes } of layers.values()) {
      recorded.set(this.#uploadPath(uploadId), sizeBytes);
    }
    for (const [digest, { sizeBytes }] of images) {
      recorded.set(this.#manifestPath(digest), sizeBytes);
    }
    for (const [path, sizeBytes] of recorded) {
      await truncateTo(path, sizeBytes);
    }
    for (const kind of ['uploads', 'manifests']) {
      for (const name of await readdir(join(this.#directory, kind))) {
        const path = join(this.#directory, kind, name);
        if (!recorded.has(path)) {
          await rm(path);
        }
      }
    }
  }
}

async function truncateTo(path: string, sizeBytes: number): Promise<void> {
  if (sizeBytes === 0) {
    return rm(path, { force: true });
  }
  const { size } = await stat(path);
  if (size < sizeBytes) {
    throw new Error(`${path} holds ${size} of the ${sizeBytes} bytes on record`);
  }
  if (size > sizeBytes) {
    await truncate(path, sizeBytes);
  }
}
