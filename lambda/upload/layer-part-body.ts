// The body of an UploadLayerPart request: its base64 goes where the AWS SDK has left room for it. Decision 0030.

import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';

/** What the SDK writes for a blob of no bytes. Inside a JSON string its quotes would be escaped. */
const emptyBlob = '"layerPartBlob":""';

/** Base64 is a string for a moment: of whole groups of three bytes, and so few that V8 soon has its memory again. */
const sliceBytes = 24_576;

const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

/** For the largest part, and for names and ids of ECR's around it. */
const roomBytes = base64Length(maxEcrPartBytes) + 4_096;

/** How many rooms are kept while nobody uses them; the others are the garbage collector's. */
const maxIdle = 4;

const bufferOver = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/**
 * @param written what the SDK has written for a blob of no bytes
 * @param take gives room for as many bytes
 * @returns the same with `bytes` as the blob, in that room
 * @throws Error where the SDK has written it in another way
 */
export function bodyOf(written: Uint8Array, bytes: Uint8Array, take: (length: number) => Buffer): Buffer {
  const [before, blob] = [bufferOver(written), bufferOver(bytes)];
  const found = before.indexOf(emptyBlob);
  if (found === -1) {
    throw new Error('the AWS SDK does not write an empty layerPartBlob as it did');
  }
  const blobAt = found + emptyBlob.length - 1;
  const body = take(before.length + base64Length(blob.length));
  let length = before.copy(body, 0, 0, blobAt);
  for (let at = 0; at < blob.length; at += sliceBytes) {
    length += body.write(blob.toString('base64', at, at + sliceBytes), length, 'latin1');
  }
  length += before.copy(body, length, blobAt);
  return body.subarray(0, length);
}

type Input = { readonly layerPartBlob: Uint8Array | undefined };
type Next<Args, Answer> = (args: Args) => Promise<Answer>;

/** Before the SDK writes the request, and before it counts its bytes and signs them. */
const emptied = { step: 'serialize', priority: 'high', name: 'emptyLayerPart' } as const;
const filled = { step: 'build', priority: 'high', name: 'fillLayerPart' } as const;

const empty =
  <Args extends { input: Input }, Answer>(next: Next<Args, Answer>): Next<Args, Answer> =>
  (args) =>
    next({ ...args, input: { ...args.input, layerPartBlob: new Uint8Array() } });

const isWritten = (request: unknown): request is { body: Uint8Array } =>
  typeof request === 'object' && request !== null && 'body' in request && request.body instanceof Uint8Array;

const fill =
  (bytes: Uint8Array, take: (length: number) => Buffer) =>
  <Args extends { request?: unknown }, Answer>(next: Next<Args, Answer>): Next<Args, Answer> =>
  async (args) => {
    const { request } = args;
    if (!isWritten(request)) {
      throw new Error('the AWS SDK writes no body of bytes');
    }
    request.body = bodyOf(request.body, bytes, take);
    return next(args);
  };

/** UploadLayerPart of the SDK, for either registry. */
type Command = {
  readonly input: Input;
  readonly middlewareStack: {
    add(middleware: typeof empty, options: typeof emptied): void;
    add(middleware: ReturnType<typeof fill>, options: typeof filled): void;
  };
};

/** The memory of bodies is used again and again: the SDK allocates 16 MiB for each, which V8 collects at great cost. */
export class LayerPartBodies {
  readonly #idle: Buffer[] = [];

  /** @param command made for this call */
  async send<Sent extends Command, Answer>(
    command: Sent,
    send: (command: Sent) => Promise<Answer>,
  ): Promise<Answer> {
    const {
      input: { layerPartBlob: bytes = new Uint8Array() },
      middlewareStack,
    } = command;
    let room: Buffer | undefined;
    const take = (length: number): Buffer => {
      if (bytes.length < minEcrPartBytes || length > roomBytes) {
        return Buffer.allocUnsafeSlow(length);
      }
      room = this.#idle.pop() ?? Buffer.allocUnsafeSlow(roomBytes);
      return room;
    };
    middlewareStack.add(empty, emptied);
    middlewareStack.add(fill(bytes, take), filled);
    const answer = await send(command);
    // Not after a failure: the connection may be reading it still.
    if (room && this.#idle.length < maxIdle) {
      this.#idle.push(room);
    }
    return answer;
  }
}
