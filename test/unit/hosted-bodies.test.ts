// Bodies of the registry endpoint, over ECR in memory and with parts of 5 to 10 bytes: however they come, end and fail.

import fc from 'fast-check';
import pLimit from 'p-limit';
import { describe, expect, it, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { askEcr, takeBody } from '../../registry/hosted/blob-upload.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { heldBytes, PartCutter } from '../../registry/hosted/part-cutter.ts';
import { maxSends, PartSender } from '../../registry/hosted/part-sender.ts';
import {
  nothingSent,
  placeAt,
  placeOf,
  stateOf,
  type UploadPlace,
} from '../../registry/hosted/upload-place.ts';
import { type IncomingBytes, PortError } from '../../registry/port.ts';
import { ecrUploads, notNextPart, repositoryName } from '../support/ecr-uploads.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { call } from '../support/scripted-calls.ts';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

const layer = Uint8Array.from({ length: 120 }, (_, at) => at + 1);

/** As a front gives it: a chunk's memory is the reader's to keep. */
async function* chunksOf(bytes: Uint8Array, chunkBytes: number, brokenAfter = bytes.length) {
  const end = Math.min(bytes.length, brokenAfter);
  for (let at = 0; at < end; at += chunkBytes) {
    yield bytes.subarray(at, Math.min(at + chunkBytes, end));
  }
  if (end < bytes.length) {
    throw new Error('the client has gone away');
  }
}

type Body = Partial<Omit<IncomingBytes, 'chunks'>> & { chunkBytes?: number; brokenAfter?: number };

const bodyOf = (bytes: Uint8Array, { chunkBytes = 3, brokenAfter, ...said }: Body = {}): IncomingBytes => ({
  first: undefined,
  length: undefined,
  chunks: chunksOf(bytes, chunkBytes, brokenAfter),
  ...said,
});

const at = (position: number, endsSmall = false): UploadPlace => ({ uploadId: 'aa', position, endsSmall });

/** An upload that ECR has these first bytes of, by parts of these lengths. */
function open(...parts: number[]) {
  const ecr = ecrUploads();
  let first = 0;
  ecr.open(
    'aa',
    ...parts.map((length) => {
      first += length;
      return layer.slice(first - length, first);
    }),
  );
  const buffers = new PartBuffers();
  const givenBack = vi.spyOn(buffers, 'giveBack');
  const taken = vi.spyOn(buffers, 'take');
  const options = { calls: ecr.calls, call, repositoryName, buffers, sends: pLimit(maxSends) };
  return {
    ...ecr,
    options,
    has: (uploadId = 'aa') => ecr.uploads.get(uploadId)?.bytes,
    parts: (uploadId = 'aa') => ecr.uploads.get(uploadId)?.parts,
    /** Every buffer that was taken is given back. */
    expectNothingHeld: () => expect(givenBack).toHaveBeenCalledTimes(taken.mock.calls.length),
    /** @returns where the upload is when all of the body is at ECR */
    take: async (place: UploadPlace, incoming: IncomingBytes, isLast = false) => {
      const rest = await takeBody(place, incoming, { ...options, isLast });
      return rest();
    },
  };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error,
  );
}

/** A refusal that tells a client where to go on. */
async function wrongOffsetOf(work: Promise<unknown>) {
  const error = await failureOf(work);
  if (!(error instanceof PortError)) {
    throw error;
  }
  return { code: error.code, message: error.message, state: error.uploadState };
}

const notNext = (position: number, isSmall = false) => ({
  code: 'InvalidLayerPartException',
  message: `The next byte of this upload is ${position}.`,
  state: { reference: `${position}${isSmall ? 's' : ''}-aa`, position },
});

describe('where an upload is', () => {
  it.each<[string, UploadPlace]>([
    ['1-a', { uploadId: 'a', position: 1, endsSmall: false }],
    ['12s-0f-9', { uploadId: '0f-9', position: 12, endsSmall: true }],
    ['999999999999-a', { uploadId: 'a', position: 999_999_999_999, endsSmall: false }],
    [`10-${'f'.repeat(256)}`, { uploadId: 'f'.repeat(256), position: 10, endsSmall: false }],
  ])('is said by the reference %s, and read from it again', (reference, place) => {
    expect(placeOf(reference)).toEqual(place);
    expect(stateOf(place)).toEqual({ reference, position: place.position });
  });

  it('is, before the first byte, said by a name of its own', () => {
    const [one, other] = [stateOf(nothingSent), stateOf(nothingSent)];
    expect(one).toEqual({
      reference: expect.stringMatching(/^0-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      position: 0,
    });
    expect(one.reference).not.toBe(other.reference);
    expect(placeOf(one.reference)).toBe(nothingSent);
    expect(nothingSent).toEqual({ uploadId: undefined, position: 0, endsSmall: false });
  });

  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  it.each([
    ...['', '1', '1-', '-a', '01-a', '0-a', '0s-a', '1ss-a', '1-g', '1-A', '1-a\n', 'x1-a', '1x-a', '1-a_'],
    ...[`0s-${uuid}`, `0-${uuid}0`, `0-${uuid.slice(1)}`, `x0-${uuid}`, `0-${uuid}\n`, `0-${'g'.repeat(36)}`],
    ...[`1-${'a'.repeat(257)}`, `1${'0'.repeat(12)}-a`],
  ])('is nowhere by a reference that was never given: %j', (reference) => {
    expect(() => placeOf(reference)).toThrow(new ProxyError('UploadNotFoundException'));
  });

  it.each<[UploadPlace, number, UploadPlace]>([
    [nothingSent, 0, nothingSent],
    [nothingSent, 7, nothingSent],
    [at(10), 10, at(10)],
    [at(10, true), 10, at(10, true)],
    [at(10), 14, at(14, true)],
    [at(10), 15, at(15)],
    [at(10), 6, at(6, true)],
    [at(10), 5, at(5)],
    [at(10, true), 20, at(20)],
  ])('known as %j, is at ECR’s %i the end of a small part or not', (known, position, place) => {
    expect(placeAt(known, position)).toEqual(place);
  });
});

describe('a question where an upload is', () => {
  it('is not asked before the first byte', async () => {
    const { options, sent } = open();
    expect(await askEcr(nothingSent, options)).toBe(nothingSent);
    expect(sent).toEqual([]);
  });

  it('is a part of no bytes', async () => {
    const { options, sent } = open(5);
    const place = at(5);
    expect(await askEcr(place, options)).toBe(place);
    const members = { repositoryName, uploadId: 'aa', partFirstByte: 5, partLastByte: 4 };
    expect(sent).toEqual([
      { operation: 'UploadLayerPart', members: { ...members, layerPartBlob: new Uint8Array() } },
    ]);
  });

  it('is answered by what ECR has', async () => {
    const { options } = open(10, 5);
    expect(await askEcr(at(10), options)).toEqual(at(15));
    expect(await askEcr(at(17), options)).toEqual(at(15, true));
    const { options: ofNothing } = open();
    expect(await askEcr(at(10), ofNothing)).toEqual(at(0));
  });

  it.each([
    new ProxyError('UploadNotFoundException'),
    new TypeError('a fault'),
    Object.assign(new Error('another’s'), { code: 'InvalidLayerPartException', members: {} }),
  ])('that fails says nothing: %s', async (error) => {
    const { options, fail } = open(5);
    fail(error);
    expect(await failureOf(askEcr(at(5), options))).toBe(error);
  });
});

describe('a body', () => {
  it('of any length in any chunks is at ECR as it came, by full parts and none that is too small', () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          before: fc.constantFrom(0, 5, 7, 10, 13),
          length: fc.nat(45),
          chunkBytes: fc.integer({ min: 1, max: 40 }),
          isLast: fc.boolean(),
          isSized: fc.boolean(),
          isRanged: fc.boolean(),
        }),
        async ({ before, length, chunkBytes, isLast, isSized, isRanged }) => {
          const upload = open(...(before > 0 ? [before] : []));
          const place = before > 0 ? at(before) : nothingSent;
          const bytes = layer.subarray(before, before + length);
          const said = { ...(isSized && { length }), ...(isRanged && { first: before }) };
          const reached = await upload.take(place, bodyOf(bytes, { chunkBytes, ...said }), isLast);
          const uploadId = before > 0 ? 'aa' : length > 0 ? 'a1' : undefined;
          expect(reached.uploadId).toBe(uploadId);
          expect(reached.position).toBe(before + length);
          expect(reached.endsSmall).toBe(length > 0 && length < 5);
          if (uploadId !== undefined) {
            expect(upload.has(uploadId)).toEqual(Buffer.from(layer.subarray(0, before + length)));
            const own = upload.parts(uploadId)?.slice(before > 0 ? 1 : 0) ?? [];
            expect(own.slice(0, -2).every((part) => part === 10)).toBe(true);
          }
          upload.expectNothingHeld();
        },
      ),
      fuzzed(200),
    ));

  it('of no bytes asks for nothing, and is not read', async () => {
    const upload = open(5);
    const unread = {
      async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
        yield await Promise.reject(new Error('it was read'));
      },
    };
    const place = at(99);
    expect(await upload.take(place, { first: 3, length: 0, chunks: unread })).toBe(place);
    expect(upload.sent).toEqual([]);
  });

  it('that has no length and no bytes changes nothing', async () => {
    const upload = open(5);
    expect(await upload.take(at(5), bodyOf(new Uint8Array()))).toEqual(at(5));
    expect(await upload.take(nothingSent, bodyOf(new Uint8Array()))).toBe(nothingSent);
    expect(upload.uploads.size).toBe(1);
  });

  it('begins its upload once, however many chunks come before ECR has answered', async () => {
    const upload = open();
    const openGate = upload.close();
    const taken = takeBody(nothingSent, bodyOf(layer.subarray(0, 12), { chunkBytes: 1 }), {
      ...upload.options,
      isLast: true,
    });
    const rest = await taken;
    openGate();
    expect(await rest()).toEqual({ uploadId: 'a1', position: 12, endsSmall: false });
    expect(upload.sent.map(({ operation }) => operation)).toEqual([
      'InitiateLayerUpload',
      'UploadLayerPart',
      'UploadLayerPart',
    ]);
    expect(upload.sent[0]?.members).toEqual({ repositoryName });
    expect(upload.parts('a1')).toEqual([7, 5]);
  });

  it('is sent as it comes, and its parts say where they are', async () => {
    const upload = open();
    await upload.take(nothingSent, bodyOf(layer.subarray(0, 27)));
    expect(upload.sent.slice(1).map(({ members }) => members)).toMatchObject([
      { repositoryName, uploadId: 'a1', partFirstByte: 0, partLastByte: 9 },
      { repositoryName, uploadId: 'a1', partFirstByte: 10, partLastByte: 19 },
      { repositoryName, uploadId: 'a1', partFirstByte: 20, partLastByte: 26 },
    ]);
  });
});

describe('a body that does not begin where ECR is', () => {
  it.each([
    [{ first: 11 }, at(10), 10],
    [{ first: 9 }, at(10), 10],
    [{ first: 0 }, at(10), 10],
    [{}, at(12), 10],
    [{ first: 10 }, at(12), 10],
  ])('is refused before it is read: %j', async (said, place, ecrs) => {
    const upload = open(10);
    const refused = upload.take(place, bodyOf(layer.subarray(10, 30), { ...said, brokenAfter: 0 }));
    expect(await wrongOffsetOf(refused)).toEqual(notNext(ecrs, place.position !== 10));
    expect(upload.has()?.length).toBe(10);
  });

  it('is refused in an upload that has nothing, which begins at byte 0', async () => {
    const upload = open();
    const refused = await wrongOffsetOf(upload.take(nothingSent, bodyOf(layer, { first: 1 })));
    expect(refused).toMatchObject({ message: 'The next byte of this upload is 0.', state: { position: 0 } });
    await upload.take(nothingSent, bodyOf(layer.subarray(0, 7), { first: 0 }));
    expect(upload.has('a1')?.length).toBe(7);
  });

  it.each([1, 2, 3, 8, 20])(
    'but before, as an answer was lost, is passed over as far as ECR has it (chunks of %i bytes)',
    async (chunkBytes) => {
      const upload = open(10, 10);
      const bytes = layer.subarray(10, 33);
      expect(await upload.take(at(10), bodyOf(bytes, { chunkBytes, first: 10 }))).toEqual(at(33));
      expect(upload.has()).toEqual(Buffer.from(layer.subarray(0, 33)));
    },
  );

  it('is passed over exactly, whatever the lengths of its chunks', async () => {
    const upload = open(10, 10);
    async function* chunks() {
      yield layer.subarray(10, 13);
      yield layer.subarray(13, 21);
      yield layer.subarray(21, 33);
    }
    await upload.take(at(10), { first: 10, length: 23, chunks: chunks() });
    expect(upload.has()).toEqual(Buffer.from(layer.subarray(0, 33)));
  });

  it('and brings nothing new is as far as ECR is', async () => {
    const upload = open(10, 10);
    expect(await upload.take(at(10), bodyOf(layer.subarray(10, 20)))).toEqual(at(20));
    expect(await upload.take(at(10), bodyOf(layer.subarray(10, 20)), true)).toEqual(at(20));
    expect(upload.parts()).toEqual([10, 10]);
  });

  it('and ends before ECR does is not the body that ECR has', async () => {
    const upload = open(10, 10);
    const refused = upload.take(at(10), bodyOf(layer.subarray(10, 19)));
    expect(await wrongOffsetOf(refused)).toEqual(notNext(20));
  });

  it.each([1, 4])('and brings %i new bytes is refused, unless they are the last', async (news) => {
    const upload = open(10, 10);
    const bytes = layer.subarray(10, 20 + news);
    expect(await wrongOffsetOf(upload.take(at(10), bodyOf(bytes)))).toEqual(notNext(20));
    expect(upload.parts()).toEqual([10, 10]);
    upload.expectNothingHeld();
    expect(await upload.take(at(10), bodyOf(bytes), true)).toEqual(at(20 + news, true));
  });

  it('and brings a part more is taken', async () => {
    const upload = open(10, 10);
    expect(await upload.take(at(10), bodyOf(layer.subarray(10, 25)))).toEqual(at(25));
  });

  it('after a part that is too small is begun again, unless it brings nothing new', async () => {
    const upload = open(10, 3);
    const refused = await wrongOffsetOf(upload.take(at(13, true), bodyOf(layer.subarray(13, 40))));
    expect(refused).toMatchObject({
      code: 'InvalidLayerPartException',
      message:
        "The request before brought less than 5 bytes, which ECR takes at a layer's end alone. Begin the blob again, in larger pieces or in one.",
      state: { reference: expect.stringMatching(/^0-/), position: 0 },
    });
    expect(upload.parts()).toEqual([10, 3]);
    const same = bodyOf(layer.subarray(10, 13), { chunkBytes: 1 });
    expect(await upload.take(at(10), same)).toEqual(at(13, true));
  });
});

describe('a body that breaks off', () => {
  /** Held: what came but for full parts that have left. Missing: of its length, if it says one. */
  it.each([
    { before: 5, came: 4, length: undefined, kept: 0 },
    { before: 5, came: 5, length: undefined, kept: 5 },
    { before: 5, came: 12, length: undefined, kept: 12 },
    { before: 5, came: 17, length: undefined, kept: 17 },
    { before: 5, came: 9, length: 10, kept: 5 },
    { before: 5, came: 9, length: 9 + 5, kept: 9 },
    { before: 5, came: 9, length: 9 + 4, kept: 8 },
    { before: 5, came: 6, length: 7, kept: 0 },
    { before: 5, came: 14, length: 15, kept: 10 },
    { before: 5, came: 23, length: 24, kept: 19 },
    { before: 0, came: 14, length: 30, kept: 0 },
  ])('after $came bytes of $length leaves $kept of them', async ({ before, came, length, kept }) => {
    const upload = open(...(before > 0 ? [before] : []));
    const bytes = layer.subarray(before, before + (length ?? 60));
    const body = bodyOf(bytes, { chunkBytes: 1, brokenAfter: came, ...(length !== undefined && { length }) });
    const failure = await failureOf(upload.take(before > 0 ? at(before) : nothingSent, body));
    expect(failure).toEqual(new Error('the client has gone away'));
    const uploadId = before > 0 ? 'aa' : 'a1';
    expect(upload.has(uploadId)).toEqual(Buffer.from(layer.subarray(0, before + kept)));
    upload.expectNothingHeld();
  });

  it('while what ECR has is passed over leaves that', async () => {
    const upload = open(10, 10);
    const body = bodyOf(layer.subarray(10, 60), { brokenAfter: 8 });
    expect(await failureOf(upload.take(at(10), body))).toEqual(new Error('the client has gone away'));
    expect(upload.has()?.length).toBe(20);
  });

  it('is told first that ECR has refused what came', async () => {
    const upload = open(5);
    upload.fail(new ProxyError('ThrottlingException'));
    const body = bodyOf(layer.subarray(5, 11), { chunkBytes: 5, brokenAfter: 5 });
    expect(await failureOf(upload.take(at(5), body))).toMatchObject({ code: 'ThrottlingException' });
  });
});

describe('a part that ECR refuses', () => {
  const throttled = new ProxyError('ThrottlingException');

  it('ends the body with its next chunk, and everything is given back', async () => {
    const upload = open();
    upload.fail(throttled);
    let read = 0;
    async function* endless() {
      for (;;) {
        read += 1;
        yield layer.subarray(0, 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const taken = upload.take(nothingSent, { first: undefined, length: undefined, chunks: endless() });
    expect(await failureOf(taken)).toBe(throttled);
    expect(read).toBe(2);
    upload.expectNothingHeld();
  });

  it.each([true, false])('at the end fails the rest of the work (last body: %s)', async (isLast) => {
    const upload = open();
    const rest = await takeBody(nothingSent, bodyOf(layer.subarray(0, 7)), { ...upload.options, isLast });
    upload.fail(throttled);
    expect(await failureOf(rest())).toBe(throttled);
    expect(upload.parts('a1') ?? []).toEqual([]);
  });

  it.each([
    ['while it is gathered', 40],
    ['at its end', 8],
  ])('since another request was faster tells where ECR is: %s', async (_, length) => {
    const upload = open(10);
    const { send } = upload.calls;
    let calls = 0;
    upload.calls.send = async (...given) => {
      calls += 1;
      if (calls > 1) {
        throw notNextPart(17);
      }
      return send(...given);
    };
    const refused = upload.take(at(10), bodyOf(layer.subarray(10, 10 + length)));
    expect(await wrongOffsetOf(refused)).toEqual(notNext(17));
  });

  it.each([
    ['while it is gathered', 40],
    ['at its end', 8],
  ])('in words of this registry’s own is refused in those: %s', async (_, length) => {
    const upload = open(10);
    const own = new PortError('InvalidLayerPartException', 'own words');
    const { send } = upload.calls;
    let calls = 0;
    upload.calls.send = async (...given) => {
      calls += 1;
      if (calls > 1) {
        throw own;
      }
      return send(...given);
    };
    expect(await failureOf(upload.take(at(10), bodyOf(layer.subarray(10, 10 + length))))).toBe(own);
  });
});

describe('the sender of parts', () => {
  const openSender = (place: UploadPlace, ...parts: number[]) => {
    const upload = open(...parts);
    return { ...upload, sender: new PartSender(place, upload.options) };
  };
  const part = (length: number) => Buffer.from(layer.subarray(0, length));

  it('sends a part when the one before is at ECR, and gives its memory back', async () => {
    const { sender, sent, close, options } = openSender(at(5), 5);
    const openGate = close();
    await sender.send(part(10));
    let isSecond = false;
    const second = sender.send(part(6)).then(() => {
      isSecond = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([isSecond, sent.length, sender.place]).toEqual([false, 1, at(5)]);
    expect(options.buffers.giveBack).not.toHaveBeenCalled();
    openGate();
    await second;
    await sender.settle();
    expect(sender.place).toEqual(at(21));
    expect(options.buffers.giveBack).toHaveBeenCalledTimes(2);
    await sender.send(part(4));
    await sender.settle();
    expect(sender.place).toEqual(at(25, true));
  });

  it('sends no more at once than the process may', async () => {
    const { sender, options } = openSender(at(5), 5);
    const queued = vi.spyOn(options, 'sends');
    await sender.send(part(5));
    await sender.settle();
    expect(queued).toHaveBeenCalledTimes(1);
    expect(maxSends).toBe(4);
  });

  it('begins an upload where there is none, and no other', async () => {
    const { sender, sent } = openSender(at(5), 5);
    sender.begin();
    await sender.settle();
    expect(sent).toEqual([]);
    const { sender: first } = openSender(nothingSent);
    first.begin();
    await first.settle();
    expect(first.place).toEqual({ uploadId: 'a1', position: 0, endsSmall: false });
    const { sender: without } = openSender(nothingSent);
    await without.send(part(5));
    expect(await failureOf(without.settle())).toEqual(new Error('the upload was not begun'));
  });

  it('says what has failed with whatever comes next', async () => {
    const { sender, fail, close, sent } = openSender(nothingSent);
    const error = new ProxyError('ThrottlingException');
    fail(error);
    const openGate = close();
    sender.begin();
    sender.assertGoing();
    openGate();
    expect(await failureOf(sender.send(part(5)))).toBe(error);
    expect(() => sender.assertGoing()).toThrow(error);
    expect(sent.length).toBe(1);
  });
});

describe('the cutter of parts', () => {
  const cutter = (...chunks: number[]) => {
    const buffers = new PartBuffers();
    const one = new PartCutter(buffers);
    let from = 0;
    const full = chunks.flatMap((length) => {
      from += length;
      return [...one.take(layer.subarray(from - length, from))].map((part) => Buffer.from(part));
    });
    return { one, buffers, full };
  };

  it.each([
    { held: 0, parts: [] },
    { held: 1, parts: [1] },
    { held: 4, parts: [4] },
    { held: 10, parts: [10] },
    { held: 11, parts: [6, 5] },
    { held: 14, parts: [9, 5] },
  ])('ends $held bytes in parts of $parts', ({ held, parts }) => {
    const { one, full } = cutter(held);
    expect(full).toEqual([]);
    expect(one.held).toBe(held);
    const ended = [...one.end()];
    expect(ended.map(({ length }) => length)).toEqual(parts);
    expect(Buffer.concat(ended)).toEqual(Buffer.from(layer.subarray(0, held)));
    expect(one.held).toBe(0);
    expect([...one.end()]).toEqual([]);
  });

  it('lets a full part go as soon as what stays is a part as well', () => {
    expect(heldBytes).toBe(15);
    const { one, full } = cutter(14, 1);
    expect(full).toEqual([Buffer.from(layer.subarray(0, 10))]);
    expect(one.held).toBe(5);
    expect(cutter(14, 30).full.length).toBe(3);
    const { one: other } = cutter();
    for (const part of other.take(layer.subarray(0, 40))) {
      expect(other.held + part.length).toBe(heldBytes);
    }
  });

  it.each([
    { held: 14, to: 14, givenBack: 0 },
    { held: 14, to: 11, givenBack: 0 },
    { held: 14, to: 10, givenBack: 1 },
    { held: 14, to: 1, givenBack: 1 },
    { held: 14, to: 0, givenBack: 2 },
    { held: 7, to: 3, givenBack: 0 },
  ])('forgets of $held bytes all but $to, and gives memory back', ({ held, to, givenBack }) => {
    const { one, buffers } = cutter(held);
    const given = vi.spyOn(buffers, 'giveBack');
    one.shorten(to);
    expect(given).toHaveBeenCalledTimes(givenBack);
    expect(one.held).toBe(to);
    expect(Buffer.concat([...one.end()])).toEqual(Buffer.from(layer.subarray(0, to)));
  });

  it('goes on behind what it has kept', () => {
    const { one } = cutter(14);
    one.shorten(10);
    expect([...one.take(layer.subarray(10, 13))]).toEqual([]);
    expect(Buffer.concat([...one.end()])).toEqual(Buffer.from(layer.subarray(0, 13)));
  });
});

describe('the memory of parts', () => {
  it('is used again, and of what is idle four parts are kept', () => {
    const buffers = new PartBuffers();
    const taken = Array.from({ length: 6 }, () => buffers.take());
    expect(taken.map(({ length }) => length)).toEqual(Array(6).fill(10));
    expect(taken.map(({ buffer }) => buffer.byteLength)).toEqual(Array(6).fill(10));
    for (const one of taken) {
      buffers.giveBack(one.subarray(0, 3));
    }
    const again = Array.from({ length: 6 }, () => buffers.take());
    const known = new Set(taken.map(({ buffer }) => buffer));
    expect(again.filter(({ buffer }) => known.has(buffer)).length).toBe(4);
    expect(new Set(again.map(({ buffer }) => buffer)).size).toBe(6);
    expect(again.map(({ length }) => length)).toEqual(Array(6).fill(10));
  });
});
