// The rules of an upload session at the hosted registry: every kind of request after chunks of every kind of length.

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { bodyOf, callerOf, hostedInstance, noBody, startHosted } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';
import { maxStepBytes, SessionModel, steps } from '../support/session-model.ts';

const MiB = 1_048_576;
const repositoryName = 'team-a/app';
const uploads = `/v2/${repositoryName}/blobs/uploads/`;
const authorization = `Bearer ${tokens.a}`;

let stack: InProcess;
let server: Awaited<ReturnType<typeof startHosted>>;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  stack = await startInProcess();
  server = await startHosted(stack);
});
afterAll(async () => {
  await server?.close();
  await stack?.close();
});
afterEach(() => stack.disarm());

const noBytes = new Uint8Array();

/** @param from what Content-Range says; undefined leaves it out */
async function send(method: string, path: string, body: Uint8Array = noBytes, from?: number) {
  const range = from === undefined ? {} : { 'content-range': `${from}-${from + body.length - 1}` };
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization, ...range },
    ...(body.length > 0 && { body: Buffer.from(body) }),
  });
  const { status, headers } = response;
  await response.arrayBuffer();
  return { status, location: headers.get('location') ?? '', range: headers.get('range') };
}

/** Where a client is told that nothing is there, `0-0` would be one byte. */
const exactRangeTo = (position: number): string => `0-${position - 1}`;
const rangeTo = (position: number): string => `0-${Math.max(0, position - 1)}`;
const begin = async (): Promise<string> => (await send('POST', uploads)).location;
const complete = (place: string, bytes: Uint8Array, body?: Uint8Array, from?: number) =>
  send('PUT', `${place}?digest=${digestOf(bytes)}`, body, from);

const six = randomBytes(6 * MiB);
const one = randomBytes(1);

/** A request after a first chunk, at its place or at the POST's, that changes nothing. */
type Idle = {
  what: string;
  send: (at: { posted: string; place: string; first: Buffer }) => ReturnType<typeof send>;
  /** The status, and the position that the answer tells. */
  expected: (size: number) => [status: number, position: number];
};

const wrongOffsets: Idle[] = (['PATCH', 'PUT'] as const).flatMap((method) => {
  const at = (place: string) => (method === 'PUT' ? `${place}?digest=${digestOf('x')}` : place);
  return [
    {
      what: `a ${method} that begins one byte beyond`,
      send: ({ place, first }) => send(method, at(place), six, first.length + 1),
      expected: (size) => [416, size],
    },
    {
      what: `a ${method} that begins one byte behind`,
      send: ({ place, first }) => send(method, at(place), six, first.length - 1),
      expected: (size) => [416, size],
    },
    {
      what: `a ${method} of the first chunk again, at the Location it has led to`,
      send: ({ place, first }) => send(method, at(place), first, 0),
      expected: (size) => [416, size],
    },
    {
      what: `a ${method} of the next byte at the POST’s Location, which knows of none`,
      send: ({ posted, first }) => send(method, at(posted), one, first.length),
      expected: () => [416, 0],
    },
  ];
});

/** More bytes, whose Content-Range says so or not. */
const more: Idle[] = [six, one].flatMap((bytes) =>
  [true, false].flatMap((says) => {
    const from = (first: Buffer) => (says ? first.length : undefined);
    const what = `${bytes.length} bytes ${says ? 'with' : 'without'} Content-Range`;
    const expected = (): [number, number] => [416, 0];
    return [
      {
        what: `a PATCH of ${what}`,
        send: ({ place, first }) => send('PATCH', place, bytes, from(first)),
        expected,
      },
      {
        what: `a PUT of ${what}`,
        send: ({ place, first }) => complete(place, Buffer.concat([first, bytes]), bytes, from(first)),
        expected,
      },
    ] satisfies Idle[];
  }),
);

const harmless: Idle[] = [
  { what: 'a PATCH of no bytes', send: ({ place }) => send('PATCH', place), expected: (size) => [202, size] },
  { what: 'a GET', send: ({ place }) => send('GET', place), expected: (size) => [204, size] },
  {
    what: 'a GET of the POST’s Location, which knows of nothing',
    send: ({ posted }) => send('GET', posted),
    expected: () => [204, 0],
  },
  {
    what: 'an empty PUT at the POST’s Location, which knows of nothing',
    send: ({ posted, first }) => complete(posted, first),
    expected: () => [400, 0],
  },
];

/** What ECR takes at a layer's end alone, and what it takes anywhere. */
const small = [1, minEcrPartBytes - 1];
const large = [minEcrPartBytes, maxEcrPartBytes, 15 * MiB, 15 * MiB + 1];

describe.each([...small, ...large])('after a first chunk of %i bytes', (size) => {
  const isSmall = size < minEcrPartBytes;

  it('what is not its next byte is refused, and what brings none changes nothing', async () => {
    const first = randomBytes(size);
    const posted = await begin();
    const { status, location: place, range } = await send('PATCH', posted, first, 0);
    expect([status, range]).toEqual([202, rangeTo(size)]);
    for (const row of [...wrongOffsets, ...harmless, ...(isSmall ? more : [])]) {
      const answer = await row.send({ posted, place, first });
      const [expected, position] = row.expected(size);
      expect(answer.status, row.what).toBe(expected);
      if (answer.status !== 400) {
        expect(answer.range, row.what).toBe(
          answer.status === 202 ? rangeTo(position) : exactRangeTo(position),
        );
        expect(answer.location.startsWith(uploads), row.what).toBe(true);
      }
      if (position > 0) {
        expect(answer.location, row.what).toBe(place);
      }
    }
    expect((await complete(place, first)).status).toBe(201);
  });

  it('the same chunk again at the POST’s Location begins the layer again', async () => {
    const first = randomBytes(size);
    const posted = await begin();
    await send('PATCH', posted, first, 0);
    const again = await send('PATCH', posted, first);
    expect([again.status, again.range]).toEqual([202, rangeTo(size)]);
    expect((await complete(again.location, first)).status).toBe(201);
    // Whole, at the Location of a layer that is there.
    expect((await complete(posted, first, first)).status).toBe(201);
  });
});

describe.each([minEcrPartBytes, 15 * MiB + 1])('after a first chunk of %i bytes', (size) => {
  it('any bytes come, after few of them none, and the layer is complete', async () => {
    const first = randomBytes(size);
    const begun = await send('PATCH', await begin(), first, 0);
    const longer = await send('PATCH', begun.location, six, size);
    expect([longer.status, longer.range]).toEqual([202, rangeTo(size + six.length)]);
    const few = await send('PATCH', longer.location, one);
    expect([few.status, few.range]).toEqual([202, rangeTo(size + six.length + 1)]);
    expect((await send('PATCH', few.location, one)).status).toBe(416);
    const whole = Buffer.concat([first, six, one]);
    expect((await complete(few.location, whole)).status).toBe(201);
  });

  it.each([six, one].map((bytes) => [bytes.length, bytes] as const))(
    'a PUT of %i bytes ends it',
    async (_, bytes) => {
      const first = randomBytes(size);
      const { location } = await send('PATCH', await begin(), first);
      const whole = Buffer.concat([first, bytes]);
      expect((await complete(location, whole, bytes, size)).status).toBe(201);
      // Its answer was lost.
      expect((await complete(location, whole, bytes, size)).status).toBe(201);
    },
  );
});

describe('after a first chunk of no bytes', () => {
  it.each([one, six].map((bytes) => [bytes.length, bytes] as const))(
    'the layer begins with the next one, of %i bytes',
    async (_, bytes) => {
      const none = await send('PATCH', await begin());
      expect([none.status, none.range]).toEqual([202, '0-0']);
      const beyond = await send('PATCH', none.location, bytes, 1);
      expect([beyond.status, beyond.range]).toEqual([416, '0--1']);
      expect((await complete(none.location, noBytes)).status).toBe(400);
      const first = await send('PATCH', beyond.location, bytes, 0);
      expect([first.status, first.range]).toEqual([202, rangeTo(bytes.length)]);
      expect((await complete(first.location, bytes)).status).toBe(201);
    },
  );
});

describe('a chunk whose answer was lost', () => {
  const start = randomBytes(minEcrPartBytes);

  /** @returns the Location that its client still has */
  async function lost(chunk: Uint8Array): Promise<string> {
    const { location } = await send('PATCH', await begin(), start);
    await send('PATCH', location, chunk);
    return location;
  }

  it.each([1, minEcrPartBytes, maxEcrPartBytes + 1])(
    'of %i bytes is asked after, and sent again',
    async (size) => {
      const chunk = randomBytes(size);
      const location = await lost(chunk);
      const status = await send('GET', location);
      expect([status.status, status.range]).toEqual([204, rangeTo(start.length + size)]);
      const again = await send('PATCH', location, chunk, start.length);
      expect([again.status, again.range]).toEqual([202, rangeTo(start.length + size)]);
      expect(again.location).toBe(status.location);
      const next = await send('PATCH', status.location, one);
      expect(next.status).toBe(size < minEcrPartBytes ? 416 : 202);
      if (size < minEcrPartBytes) {
        expect((await complete(location, Buffer.concat([start, chunk]))).status).toBe(201);
      }
    },
  );

  it('and that comes again with a few bytes more is 416 with ECR’s position: no position hides a small part', async () => {
    const chunk = randomBytes(6 * MiB);
    const location = await lost(chunk);
    const reached = start.length + chunk.length;
    const longer = Buffer.concat([chunk, one]);
    const refused = await send('PATCH', location, longer, start.length);
    expect([refused.status, refused.range]).toEqual([416, rangeTo(reached)]);
    // Whoever asks at the old Location is not told otherwise.
    expect((await send('GET', location)).location).toBe(refused.location);
    const few = await send('PATCH', refused.location, one, reached);
    expect([few.status, few.range]).toEqual([202, rangeTo(reached + 1)]);
    expect((await send('PATCH', few.location, one)).status).toBe(416);
    expect((await complete(few.location, Buffer.concat([start, longer]))).status).toBe(201);
  });

  it('and that comes again with a few bytes more as the last ends the layer', async () => {
    const chunk = randomBytes(6 * MiB);
    const location = await lost(chunk);
    const rest = Buffer.concat([chunk, one]);
    expect((await complete(location, Buffer.concat([start, rest]), rest, start.length)).status).toBe(201);
  });
});

describe('a chunk that breaks off', () => {
  const start = randomBytes(minEcrPartBytes);

  it('leaves so much to come of its length that no small part is left', async () => {
    const edges = [minEcrPartBytes, maxEcrPartBytes, 15 * MiB].flatMap((size) => [size, size + 1]);
    const length = fc.constantFrom(...edges, 12 * MiB, 21 * MiB);
    const portion = fc.double({ min: 0.05, max: 0.999, noNaN: true });
    const instance = hostedInstance(stack);
    await fc.assert(
      fc.asyncProperty(length, portion, async (bytes, part) => {
        const chunk = randomBytes(bytes);
        const port = await instance.open(callerOf());
        const { reference } = await port.begin(repositoryName);
        const begun = await port.append(repositoryName, reference, bodyOf(start));
        const brokenAfter = Math.floor(bytes * part);
        const broken = bodyOf(chunk, { length: bytes, brokenAfter });
        await expect(port.append(repositoryName, begun.reference, broken)).rejects.toThrow(/has gone away/);
        const { position } = await port.status(repositoryName, begun.reference);
        const kept = position - begun.position;
        expect(kept === 0 || (kept >= minEcrPartBytes && bytes - kept >= minEcrPartBytes)).toBe(true);
        // The same chunk again, and one more: neither is refused.
        const again = bodyOf(chunk, { first: begun.position, length: bytes });
        const taken = await port.append(repositoryName, begun.reference, again);
        expect(taken.position).toBe(begun.position + bytes);
        const last = await port.append(repositoryName, taken.reference, bodyOf(six));
        const whole = digestOf(Buffer.concat([start, chunk, six]));
        await port.finish(repositoryName, last.reference, whole, noBody);
      }),
      {
        ...fuzzed(3),
        examples: [
          [15 * MiB, 0.8],
          [6 * MiB, 0.9],
        ],
      },
    );
  });

  it('from byte 0 on leaves no upload at ECR that it did not need: nobody knows its name', async () => {
    const instance = hostedInstance(stack);
    const port = await instance.open(callerOf());
    const { reference } = await port.begin(repositoryName);
    const before = await partsSent();
    const broken = bodyOf(randomBytes(14 * MiB), { brokenAfter: 13 * MiB });
    await expect(port.append(repositoryName, reference, broken)).rejects.toThrow(/has gone away/);
    expect(await partsSent()).toBe(before);
  });
});

async function partsSent(): Promise<number> {
  const response = await fetch(`${stack.ecrUrl}/_requests`);
  return JSON.parse(await response.text()).operations['ecr:UploadLayerPart'] ?? 0;
}

/** What a client does in a row, with answers that are lost. */
describe('any row of requests', () => {
  it('is answered as a small model of ECR says, and ends in the whole layer', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (row) => {
        const bytes = randomBytes(row.length * maxStepBytes);
        const model = new SessionModel();
        let place = await begin();
        for (const step of row) {
          const { method, saysRange, isLost } = step;
          // Where no Content-Range says another, a body begins at its Location's position.
          const first = model.firstOf(saysRange ? step : { ...step, offset: 0 });
          const body = bytes.subarray(first, first + step.bytes);
          const sent = await send(method, place, body, saysRange && body.length > 0 ? first : undefined);
          const { status, range, location } = sent;
          expect({ status, range }).toEqual(model.answer(step));
          place = isLost ? place : location;
        }
        const { position } = model;
        const { location, range } = await send('GET', place);
        expect(range).toBe(exactRangeTo(position));
        const end = await complete(location, bytes.subarray(0, position));
        expect(end.status).toBe(position === 0 ? 400 : 201);
      }),
      fuzzed(3),
    );
  });
});
