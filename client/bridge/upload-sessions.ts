// The uploads in progress, each its own client's and limited in number; those that are not continued are dropped.

import { type IncomingBytes, PortError, type UploadState } from '../../registry/port.ts';
import type { LayerRun } from './layer-run.ts';
import { newUploadId, uploadReferenceOf } from './upload-reference.ts';
import { UploadSession, unknownUpload } from './upload-session.ts';

/** Each may hold two parts in memory. Times in milliseconds. */
export type SessionBounds = {
  uploads: number;
  uploadsPerClient: number;
  /** After so long without a request it is given up. */
  maxIdleMs: number;
  /** After so long it makes room for another. */
  spareMs: number;
};

export const defaultSessionBounds: SessionBounds = {
  uploads: 128,
  uploadsPerClient: 64,
  maxIdleMs: 600_000,
  spareMs: 30_000,
};

/** Whose upload, and where. */
export type UploadOwner = { client: string; repositoryName: string; newRun: () => LayerRun };

type Entry = { client: string; session: UploadSession };

export class UploadSessions {
  readonly #bounds: SessionBounds;
  readonly #entries = new Map<string, Entry>();
  readonly #sweeping: NodeJS.Timeout;

  constructor(bounds: Partial<SessionBounds> = {}) {
    this.#bounds = { ...defaultSessionBounds, ...bounds };
    this.#sweeping = setInterval(() => this.#sweep(), this.#bounds.maxIdleMs / 10).unref();
  }

  /** @throws PortError ThrottlingException; ProxyProblem */
  async begin(owner: UploadOwner): Promise<UploadState> {
    const id = newUploadId();
    const session = this.#add(owner, id);
    try {
      await session.begin();
    } catch (error) {
      this.#remove(owner, id);
      throw error;
    }
    return session.state;
  }

  async append(owner: UploadOwner, reference: string, incoming: IncomingBytes): Promise<UploadState> {
    return this.#use(owner, reference, async (session, from) => {
      await session.append(from, incoming);
      return session.state;
    });
  }

  async finish(
    owner: UploadOwner,
    reference: string,
    digest: string,
    incoming: IncomingBytes,
  ): Promise<void> {
    await this.#use(owner, reference, (session, from) => session.finish(from, incoming, digest));
  }

  /** @throws PortError UploadNotFoundException where this client has no such upload in this repository */
  status(owner: UploadOwner, reference: string): UploadState {
    const id = uploadReferenceOf(reference)?.id;
    const entry = id === undefined ? undefined : this.#entries.get(keyOf(owner, id));
    if (!entry) {
      throw unknownUpload();
    }
    return entry.session.state;
  }

  cancel(owner: UploadOwner, reference: string): void {
    const id = uploadReferenceOf(reference)?.id;
    if (id !== undefined) {
      this.#remove(owner, id);
    }
  }

  close(): void {
    clearInterval(this.#sweeping);
    for (const { session } of this.#entries.values()) {
      session.cancel(new PortError('ServiceUnavailableException', 'the bridge was stopped: push again'));
    }
    this.#entries.clear();
  }

  /** An upload that has ended can be begun again from its first byte, at the same reference. */
  async #use<Value>(
    owner: UploadOwner,
    reference: string,
    work: (session: UploadSession, from: number) => Promise<Value>,
  ): Promise<Value> {
    const { id, position } = uploadReferenceOf(reference) ?? {};
    if (id === undefined || position === undefined) {
      throw unknownUpload();
    }
    const known = this.#entries.get(keyOf(owner, id))?.session;
    if (!known && position > 0) {
      throw unknownUpload();
    }
    const session = known ?? this.#add(owner, id);
    try {
      return await work(session, position);
    } finally {
      if (session.isOver && this.#entries.get(keyOf(owner, id))?.session === session) {
        this.#entries.delete(keyOf(owner, id));
      }
    }
  }

  /** Counted before anything is waited for. */
  #add(owner: UploadOwner, id: string): UploadSession {
    const { client, newRun } = owner;
    const { uploads, uploadsPerClient } = this.#bounds;
    const own = [...this.#entries].filter(([, entry]) => entry.client === client);
    if (own.length >= uploadsPerClient) {
      this.#makeRoom(own, `${uploadsPerClient} uploads of this client`);
    }
    if (this.#entries.size >= uploads) {
      this.#makeRoom([...this.#entries], `${uploads} uploads`);
    }
    const session = new UploadSession(id, newRun);
    this.#entries.set(keyOf(owner, id), { client, session });
    return session;
  }

  /** The one that nobody has gone on with for longest is given up. @throws PortError where all are in use */
  #makeRoom(entries: [string, Entry][], which: string): void {
    const [longest] = entries.toSorted(([, one], [, other]) => other.session.idleMs - one.session.idleMs);
    if (!longest || longest[1].session.idleMs < this.#bounds.spareMs) {
      throw new PortError('ThrottlingException', `${which} are under way here: finish or cancel some`, {
        retryAfterSeconds: 5,
      });
    }
    this.#giveUp(longest);
  }

  #sweep(): void {
    for (const entry of this.#entries) {
      if (entry[1].session.idleMs >= this.#bounds.maxIdleMs) {
        this.#giveUp(entry);
      }
    }
  }

  #giveUp([key, { session }]: [string, Entry]): void {
    this.#entries.delete(key);
    session.cancel(new PortError('UploadNotFoundException', 'nobody went on with this upload'));
  }

  #remove(owner: UploadOwner, id: string): void {
    const key = keyOf(owner, id);
    const reason = new PortError('UploadNotFoundException', 'the client cancelled this upload');
    this.#entries.get(key)?.session.cancel(reason);
    this.#entries.delete(key);
  }
}

const keyOf = ({ client, repositoryName }: UploadOwner, id: string): string =>
  `${client} ${repositoryName} ${id}`;
