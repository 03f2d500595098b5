// What a client knows of an upload, and what ECR must hold of all of them: the model that programs are held against.

import { digestOf, otherThan, partSize } from '../interleavings/content.ts';
import { assert } from '../interleavings/race-run.ts';
import type { ServicesInMemory } from '../interleavings/services-in-memory.ts';
import { bytesPerDay, counted } from './deployment.ts';
import type { Client, Repository } from './rights.ts';

/** An upload as its client knows it. */
export class Upload {
  readonly client: Client;
  readonly repositoryName: Repository;
  /** As the client was given it: ECR's, with a seal. */
  readonly uploadId: string;
  readonly layer: Uint8Array;
  readonly other: Uint8Array;
  readonly digest: string;
  readonly otherDigest: string;
  /** How many bytes were acknowledged. */
  acknowledged = 0;
  /** Which digests a completion asked for that may have arrived. */
  readonly askedFor = new Set<string>();
  /** What it was completed with, as far as its client was told. */
  completed: string | undefined;
  /** By its client: bytes were sent that are not the layer's, or a part too short to be followed by another. */
  isSpoilt = false;
  /** By position, every byte that its client has sent for it. */
  readonly #sent: Set<number>[] = [];

  constructor(client: Client, repositoryName: Repository, uploadId: string, layer: Uint8Array) {
    this.client = client;
    this.repositoryName = repositoryName;
    this.uploadId = uploadId;
    this.layer = layer;
    this.other = otherThan(layer);
    this.digest = digestOf(layer);
    this.otherDigest = digestOf(this.other);
  }

  /** ECR's own, of which the client knows nothing. */
  get ecrId(): string {
    return this.uploadId.slice(0, 36);
  }

  get parts(): number {
    return Math.ceil(this.layer.length / partSize);
  }

  sends(first: number, bytes: Uint8Array): void {
    for (const [n, byte] of bytes.entries()) {
      const sent = this.#sent[first + n] ?? new Set();
      this.#sent[first + n] = sent.add(byte);
    }
  }

  hasSent(position: number, byte: number): boolean {
    return this.#sent[position]?.has(byte) ?? false;
  }

  /** How many bytes there can be of it, at most. */
  get sentBytes(): number {
    return this.#sent.length;
  }
}

/** What is in ECR, and what waits right behind it. */
export class Truth {
  readonly #services: ServicesInMemory;

  constructor(services: ServicesInMemory) {
    this.#services = services;
  }

  layerMadeBy({ ecrId }: Upload): { digest: string; bytes: Uint8Array } | undefined {
    const [found] = [...this.#services.ecr.layers].filter(([, { uploadId }]) => uploadId === ecrId);
    return found && { digest: found[0], bytes: found[1].bytes };
  }

  inEcr(upload: Upload): Uint8Array {
    const { uploads } = this.#services.ecr;
    return this.layerMadeBy(upload)?.bytes ?? uploads.get(upload.ecrId)?.bytes ?? new Uint8Array();
  }

  waiting(upload: Upload): Uint8Array {
    const [, slot] = [...this.#services.s3.objects].find(([key]) => key.endsWith(upload.ecrId)) ?? [];
    const { length } = this.inEcr(upload);
    return slot && !this.layerMadeBy(upload) && Number(slot.metadata['received-bytes']) === length
      ? slot.bytes.subarray(0, Number(slot.metadata['waiting-bytes']))
      : new Uint8Array();
  }

  /** How many bytes it has: where its client goes on. */
  has(upload: Upload): number {
    return this.inEcr(upload).length + this.waiting(upload).length;
  }

  hasLayer(digest: string): boolean {
    return this.#services.ecr.layers.has(digest);
  }

  /** Whether that many bytes more are beyond what the client may send today, whatever of them is counted already. */
  mayExceed(client: Client, bytes: number): boolean {
    const today = new Date().toISOString().slice(0, 10);
    return client === counted && this.#amounts(today).some((amount) => amount + bytes > bytesPerDay);
  }

  #amounts(day = ''): number[] {
    return [...this.#services.dynamodb.items].flatMap(([id, { amount }]) =>
      id.startsWith(`count each bytes ${day}`) ? [Number(amount)] : [],
    );
  }

  /** @throws Violation */
  check(uploads: readonly Upload[], images: ReadonlyMap<string, string>): void {
    for (const upload of uploads) {
      this.#checkUpload(upload);
    }
    for (const [digest, { bytes, uploadId }] of this.#services.ecr.layers) {
      assert(digest === digestOf(bytes), 'the bytes of a layer are not what its digest says');
      const maker = uploads.find(({ ecrId }) => ecrId === uploadId);
      assert(maker?.askedFor.has(digest) === true, 'a layer was made that its client did not ask for');
    }
    for (const [tag, manifest] of images) {
      assert(
        this.#services.ecr.images.get(tag) === manifest,
        `the image ${tag} was acknowledged and is gone`,
      );
    }
    this.#checkCounts(uploads);
  }

  #checkUpload(upload: Upload): void {
    const { ecrId, acknowledged, completed } = upload;
    const bytes = Buffer.concat([this.inEcr(upload), this.waiting(upload)]);
    for (const [position, byte] of bytes.entries()) {
      assert(upload.hasSent(position, byte), `byte ${position} of ${ecrId} was not sent by its client`);
    }
    // Of two parts at one place of which one is short, ECR has one: its client contradicts itself, and cannot complete.
    assert(
      bytes.length >= acknowledged || upload.isSpoilt,
      `${acknowledged} bytes of ${ecrId} were acknowledged, and ${bytes.length} are there`,
    );
    if (completed !== undefined) {
      const made = this.layerMadeBy(upload)?.digest;
      assert(made === completed, `the completion of ${ecrId} was acknowledged, and the layer is ${made}`);
    }
  }

  /** No byte of a client with a quota is there that is not counted, and none is counted that was not sent. */
  #checkCounts(uploads: readonly Upload[]): void {
    const own = uploads.filter(({ client }) => client === counted);
    const amounts = this.#amounts();
    const all = amounts.reduce((total, amount) => total + amount, 0);
    assert(
      amounts.every((amount) => amount <= bytesPerDay),
      'more was counted than the quota allows',
    );
    assert(sum(own, (upload) => this.has(upload)) <= all, 'bytes were taken that were not counted');
    assert(all <= sum(own, (upload) => upload.sentBytes), 'bytes were counted that were not sent');
  }
}

const sum = (uploads: readonly Upload[], of: (upload: Upload) => number): number =>
  uploads.reduce((total, upload) => total + of(upload), 0);
