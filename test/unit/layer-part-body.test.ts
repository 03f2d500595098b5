// What is sent for a layer part: byte for byte what the AWS SDK writes by itself, signed, and the same again.

import { createHash, createHmac } from 'node:crypto';
import { ECRClient, UploadLayerPartCommand } from '@aws-sdk/client-ecr';
import * as ecrPublic from '@aws-sdk/client-ecr-public';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';
import { onceMore } from '../../lambda/retries.ts';
import { privateEcr, publicEcr } from '../../lambda/upload/ecr.ts';
import { bodyOf, LayerPartBodies } from '../../lambda/upload/layer-part-body.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { randomBytes } from '../support/random-bytes.ts';

/** A request as it leaves the SDK. */
type Sent = { headers: Record<string, string>; body: Uint8Array };

const secretAccessKey = 'a secret of nobody’s';

/** Beside the blob, which is megabytes. */
function lastByteOf(body: Uint8Array): number {
  const { buffer, byteOffset, length } = body;
  const members = Buffer.from(buffer, byteOffset, length);
  const at = members.indexOf('"partLastByte":');
  return Number.parseInt(members.toString('latin1', at + '"partLastByte":'.length, at + 32), 10);
}

/** A connection takes as long as the test says. @param answer may fail it */
function network(answer: (attempt: number) => Promise<void> | void = () => {}) {
  const sent: Sent[] = [];
  const handle = async ({ headers, body }: Sent) => {
    sent.push({ headers, body });
    await answer(sent.length);
    const answered = { lastByteReceived: lastByteOf(body) };
    return { response: { statusCode: 200, headers: {}, body: Buffer.from(JSON.stringify(answered)) } };
  };
  return {
    sent,
    options: {
      ...onceMore,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey },
      requestHandler: { handle },
    },
  };
}

type Network = ReturnType<typeof network>;
type Members = { repositoryName: string; uploadId: string; registryId?: string };

/** UploadLayerPart as this project sends it, and as the SDK does by itself. */
const registries = {
  ecr: ({ options }: Network) => {
    const client = new ECRClient(options);
    const { UploadLayerPart } = privateEcr(client, (_call, send) => send());
    return {
      ours: (members: Members, layerPartBlob: Uint8Array) =>
        UploadLayerPart(inputOf(members, layerPartBlob), new AbortController().signal),
      own: (members: Members, layerPartBlob: Uint8Array) =>
        client.send(new UploadLayerPartCommand(inputOf(members, layerPartBlob))),
    };
  },
  'ecr-public': ({ options }: Network) => {
    const client = new ecrPublic.ECRPUBLICClient(options);
    const { UploadLayerPart } = publicEcr(client, (_call, send) => send());
    return {
      ours: (members: Members, layerPartBlob: Uint8Array) =>
        UploadLayerPart(inputOf(members, layerPartBlob), new AbortController().signal),
      own: (members: Members, layerPartBlob: Uint8Array) =>
        client.send(new ecrPublic.UploadLayerPartCommand(inputOf(members, layerPartBlob))),
    };
  },
};

const inputOf = (members: Members, layerPartBlob: Uint8Array) => ({
  ...members,
  partFirstByte: 20_971_520,
  partLastByte: 20_971_519 + layerPartBlob.length,
  layerPartBlob,
});

const members: Members = { repositoryName: 'team-a/app', uploadId: '1f0c9a7e-0000-4000-8000-000000000000' };
const part = randomBytes(maxEcrPartBytes);

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

const authorization =
  /Credential=[^/]+\/(?<scope>[^,]+), SignedHeaders=(?<names>[^,]+), Signature=(?<signature>.+)$/;

/** Signature Version 4 as its description has it, and as it was sent. */
function signaturesOf({ headers, body }: Sent) {
  const { scope = '', names = '', signature } = authorization.exec(headers.authorization ?? '')?.groups ?? {};
  const signed = names.split(';').map((name) => `${name}:${headers[name]?.trim()}\n`);
  const request = ['POST', '/', '', signed.join(''), names, sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(request)].join('\n');
  const key = scope.split('/').reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  return { computed: hmac(key, text).toString('hex'), sent: signature };
}

describe.each(Object.entries(registries))('a layer part for %s', (_registry, connect) => {
  it.each([
    0,
    1,
    2,
    3,
    24_575,
    24_576,
    24_577,
    minEcrPartBytes - 1,
    minEcrPartBytes,
    8_388_608,
    maxEcrPartBytes,
  ])('of %d bytes is sent as the SDK would send it', async (bytes) => {
    const aws = network();
    const { ours, own } = connect(aws);
    await ours(members, part.subarray(0, bytes));
    await own(members, part.subarray(0, bytes));
    const [first, second] = aws.sent;
    expect(sha256(first?.body ?? '')).toBe(sha256(second?.body ?? ''));
    expect(first?.headers['content-length']).toBe(second?.headers['content-length']);
    expect(first?.headers['content-length']).toBe(String(first?.body.length));
    expect(Object.keys(first?.headers ?? {}).sort()).toEqual(Object.keys(second?.headers ?? {}).sort());
  });

  it('is sent as the SDK would send it, whatever its bytes and names', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ repositoryName: fc.string({ unit: 'grapheme' }), uploadId: fc.string() }),
        fc.option(fc.string(), { nil: undefined }),
        fc.uint8Array({ maxLength: 200 }),
        async (names, registryId, bytes) => {
          const aws = network();
          const { ours, own } = connect(aws);
          const all = { ...names, ...(registryId !== undefined && { registryId }) };
          await ours(all, bytes);
          await own(all, bytes);
          const [first, second] = aws.sent.map(({ body }) => JSON.parse(Buffer.from(body).toString()));
          expect(first).toEqual(second);
          expect(Buffer.from(first.layerPartBlob, 'base64')).toEqual(Buffer.from(bytes));
        },
      ),
      fuzzed(100),
    );
  });

  it('is signed with all its bytes', async () => {
    const aws = network();
    await connect(aws).ours(members, part);
    const [sent] = aws.sent;
    const { computed, sent: signature } = signaturesOf(sent ?? { headers: {}, body: part });
    expect(signature).toBe(computed);
  });

  it('is sent again by the SDK, whole', async () => {
    const digests: string[] = [];
    const aws = network((attempt) => {
      digests.push(sha256(aws.sent.at(-1)?.body ?? ''));
      if (attempt === 1) {
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      }
    });
    await connect(aws).ours(members, part);
    expect(digests).toHaveLength(2);
    expect(digests[0]).toBe(digests[1]);
  });

  it('has memory of its own while others are on their way, which a later one takes over', async () => {
    const answers = Promise.withResolvers<void>();
    const aws = network(() => answers.promise);
    const { ours } = connect(aws);
    const parts = [1, 2, 3].map((at) => part.subarray(at, at + minEcrPartBytes));
    const sending = parts.map((bytes) => ours(members, bytes));
    await expect.poll(() => aws.sent.length).toBe(3);
    expect(aws.sent.map(blobOf)).toEqual(parts.map((bytes) => sha256(bytes)));
    answers.resolve();
    await Promise.all(sending);
    await ours(members, part);
    const [, , , fourth] = aws.sent.map(({ body }) => body.buffer);
    expect(aws.sent.slice(0, 3).map(({ body }) => body.buffer)).toContain(fourth);
  });

  const roomOf = ({ body }: Sent | undefined = { headers: {}, body: part }) => body.buffer;

  it('of any names, however long, is sent whole', async () => {
    const aws = network();
    const { ours, own } = connect(aws);
    const long = { ...members, registryId: 'x'.repeat(5_000) };
    await ours(long, part);
    await own(long, part);
    const [first, second] = aws.sent.map(({ body }) => sha256(body));
    expect(first).toBe(second);
  });

  it('that is small takes no more memory than it has bytes, and no memory of others', async () => {
    const aws = network();
    const { ours } = connect(aws);
    const sizes = [part.length, 1, 1, 1, 1, 1, part.length];
    for (const size of sizes) {
      await ours(members, part.subarray(0, size));
    }
    const [large, ...small] = aws.sent;
    expect(roomOf(small.pop())).toBe(roomOf(large));
    expect(small.map((one) => roomOf(one).byteLength - one.body.length)).toEqual([0, 0, 0, 0, 0]);
  });

  it('has its memory kept, and that of three others', async () => {
    const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const aws = network((attempt) => answers[attempt > 6 ? 1 : 0]?.promise);
    const { ours } = connect(aws);
    const six = () => Array.from({ length: 6 }, () => ours(members, part.subarray(0, minEcrPartBytes)));
    const first = six();
    await expect.poll(() => aws.sent.length).toBe(6);
    answers[0]?.resolve();
    await Promise.all(first);
    const second = six();
    await expect.poll(() => aws.sent.length).toBe(12);
    answers[1]?.resolve();
    await Promise.all(second);
    const rooms = aws.sent.map(roomOf);
    const again = rooms.slice(6).filter((room) => rooms.slice(0, 6).includes(room));
    expect(new Set(again).size).toBe(4);
    expect(again).toHaveLength(4);
  });

  it('leaves memory that a broken connection may be reading to nobody', async () => {
    const aws = network((attempt) => {
      if (attempt === 1) {
        throw new Error('broken');
      }
    });
    const { ours } = connect(aws);
    await expect(ours(members, part)).rejects.toThrow('broken');
    const before = sha256(aws.sent[0]?.body ?? '');
    await ours(members, part.subarray(1));
    expect(sha256(aws.sent[0]?.body ?? '')).toBe(before);
  });
});

const blobOf = ({ body }: Sent) =>
  sha256(Buffer.from(JSON.parse(Buffer.from(body).toString()).layerPartBlob, 'base64'));

it.each([undefined, null, 'request', {}, { body: 'text' }])(
  'refuses to send bytes with what is no request of bytes: %j',
  async (request) => {
    type Handler = (args: { request?: unknown; input: { layerPartBlob: Uint8Array } }) => Promise<unknown>;
    const added: ((next: Handler) => Handler)[] = [];
    const command = {
      input: { layerPartBlob: part },
      middlewareStack: { add: (middleware: (next: Handler) => Handler) => void added.push(middleware) },
    };
    const next: Handler = async () => 'sent';
    const sending = new LayerPartBodies().send(command, async ({ input }) =>
      added[1]?.(next)({ request, input }),
    );
    await expect(sending).rejects.toThrow('the AWS SDK writes no body of bytes');
  },
);

it('refuses to guess where the bytes belong in what the SDK has written', () => {
  for (const written of [
    '{}',
    '{"layerPartBlob":"AA=="}',
    String.raw`{"repositoryName":"\"layerPartBlob\":\"\""}`,
  ]) {
    expect(() => bodyOf(Buffer.from(written), part, Buffer.alloc)).toThrow(
      'the AWS SDK does not write an empty layerPartBlob as it did',
    );
  }
});
