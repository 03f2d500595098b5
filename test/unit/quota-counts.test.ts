import {
  type CancellationReason,
  DynamoDBClient,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { parseQuotas, type Usage } from '../../api/quotas.ts';
import { type CountOptions, quotaCounter } from '../../lambda/quota/quota-counts.ts';
import { countedOf, keyOf, usedOf } from '../../lambda/quota/quota-items.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { raceHolds, races } from '../support/quota-model.ts';
import { type Fault, tableInMemory } from '../support/table-in-memory.ts';

const who = {
  principal: { type: 'Client' as const, id: 'c' },
  resource: { id: 'r', attrs: { name: 'a/b', namespace: 'a', registry: 'ecr', registryId: '1' } },
};
const at100 = '- { name: q, client: "*", bytesPerDay: 100 }';
const part = (first: number, end: number, item = 'u'): Usage => ({ unit: 'bytes', item, first, end });

function open(yaml = at100) {
  const table = tableInMemory();
  const quotas = parseQuotas(yaml);
  const connected = (faults: readonly Fault[], maxAttempts = 1) => {
    const coming = [...faults];
    const { client } = table.connect(() => coming.shift() ?? 'none', { maxAttempts });
    return client;
  };
  const pauses: number[] = [];
  /** @returns `taken`, or the refusal's code */
  const send = (
    usage: Usage | readonly Usage[],
    {
      faults = [],
      maxAttempts,
      ...options
    }: CountOptions & { faults?: readonly Fault[]; maxAttempts?: number } = {},
  ) =>
    quotaCounter(connected(faults, maxAttempts), 'table', quotas, async (ms) => pauses.push(ms))(
      who,
      usage,
      options,
    ).then(
      () => 'taken',
      (error: unknown) => (error instanceof ProxyError ? error.code : `${error}`),
    );
  const used = (quota = 'q') =>
    [...table.items].flatMap(([id, { amount }]) => (id.startsWith(`count ${quota} `) ? [amount] : []));
  return { table, send, used, pauses };
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a quota that is nearly used', () => {
  const told = async (end: number, faults: readonly Fault[] = []) => {
    const texts: string[] = [];
    const tellNearlyUsed = (text: string) => void texts.push(text);
    expect(await open().send(part(0, end), { faults, tellNearlyUsed })).toBe('taken');
    return texts;
  };

  it('is told from 90 % on', async () => {
    expect(await told(89)).toEqual([]);
    const resetsAt = new Date(Math.ceil((Date.now() + 1) / 86_400_000) * 86_400_000).toISOString();
    expect(await told(90)).toEqual([
      `90 of the 100 bytes that the quota q allows a day are used. It resets at ${resetsAt}.`,
    ]);
  });

  it('is not told where the count cannot be read, and what was counted is taken', async () => {
    expect(await told(100, ['none', 'none', 'dropped'])).toEqual([]);
  });
});

describe('a part', () => {
  it('is counted once, however often it is sent', async () => {
    const { send, used } = open();
    for (let n = 0; n < 3; n++) {
      expect(await send(part(0, 60))).toBe('taken');
    }
    expect(used()).toEqual([60]);
    expect(await send(part(60, 100))).toBe('taken');
    expect(await send(part(100, 101))).toBe('QuotaExceededException');
    expect(await send(part(20, 100))).toBe('taken');
    expect(used()).toEqual([100]);
  });

  it.each([
    ['the count’s answer is lost, and the SDK sends it again', ['none', 'lost'] as const],
    ['the mark’s is lost', ['lost'] as const],
    ['both are lost', ['lost', 'none', 'lost'] as const],
    ['the connection breaks twice', ['none', 'dropped', 'dropped'] as const],
    ['others write to the same count', ['none', 'conflict', 'none', 'conflict'] as const],
    ['DynamoDB asks for a slower pace', ['none', 'throttled'] as const],
  ])('that fits is taken, and counted once, when %s', async (_, faults) => {
    const { send, used } = open();
    expect(await send(part(0, 60), { faults, maxAttempts: 3 })).toBe('taken');
    expect(await send(part(60, 100), { faults, maxAttempts: 3 })).toBe('taken');
    expect(used()).toEqual([100]);
  });

  it('whose count was done without an answer is not counted again by the client’s next attempt', async () => {
    const { send, used } = open();
    expect(await send(part(0, 100), { faults: ['none', 'lost'] })).toBe('TimeoutError: socket hang up');
    expect(await send(part(0, 100))).toBe('taken');
    expect(used()).toEqual([100]);
  });

  it('that takes the last of a quota is taken in all of several requests at once', async () => {
    const { send, used } = open();
    await send(part(0, 60));
    const answers = await Promise.all([1, 2, 3].map(() => send(part(60, 100))));
    expect(answers).toEqual(['taken', 'taken', 'taken']);
    expect(used()).toEqual([100]);
  });

  it('of one of many uploads at once is taken as long as it fits, to the last byte', async () => {
    const { send, used } = open();
    const answers = await Promise.all(Array.from({ length: 9 }, (_, n) => send(part(0, 20, `u${n}`))));
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(5);
    expect(answers.filter((answer) => answer === 'QuotaExceededException')).toHaveLength(4);
    expect(used()).toEqual([100]);
  });

  it('is asked about when it leaves a gap, and is not counted when it is ahead', async () => {
    const { send, used } = open();
    const refuseAhead = vi.fn().mockRejectedValue(new ProxyError('InvalidLayerPartException'));
    expect(await send(part(40, 60), { refuseAhead })).toBe('InvalidLayerPartException');
    expect(await send(part(0, 20), { refuseAhead })).toBe('taken');
    expect(await send(part(40, 60), { refuseAhead })).toBe('InvalidLayerPartException');
    expect(refuseAhead).toHaveBeenCalledTimes(2);
    expect(used()).toEqual([20]);
  });

  it('that overtakes the one before it is counted as well, and so is what follows', async () => {
    const { send, used } = open();
    // The one before arrives after the mark was read, and before ECR is asked.
    const refuseAhead = async () => {
      expect(await send(part(0, 20))).toBe('taken');
    };
    expect(await send(part(20, 40), { refuseAhead })).toBe('taken');
    expect(used()).toEqual([40]);
    expect(await send(part(40, 60))).toBe('taken');
    expect(used()).toEqual([60]);
  });

  it('of an upload that began before its quota is counted from then on, and what came before only if it comes again', async () => {
    const { send, used } = open();
    expect(await send(part(500, 520))).toBe('taken');
    expect(await send(part(520, 540))).toBe('taken');
    expect(used()).toEqual([40]);
    expect(await send(part(480, 500))).toBe('taken');
    expect(used()).toEqual([60]);
    expect(await send(part(0, 20))).toBe('taken');
    expect(used()).toEqual([80]);
  });

  it('is counted in full or not at all where several quotas are for it', async () => {
    const { send, used } = open(`${at100}\n- { name: small, namespace: a, bytesPerDay: 50 }`);
    expect(await send(part(0, 40))).toBe('taken');
    expect(await send(part(40, 60))).toBe('QuotaExceededException');
    expect([used(), used('small')]).toEqual([[40], [40]]);
  });

  it('larger than its quota is refused with what is used', async () => {
    const { send, used } = open();
    expect(await send(part(0, 101))).toBe('QuotaExceededException');
    expect(used()).toEqual([]);
  });

  it('is refused, with what is used, by a quota that was lowered below it', async () => {
    const { table, send } = open();
    await send(part(0, 60));
    const { client } = table.connect(() => 'none');
    const lowered = quotaCounter(client, 'table', parseQuotas('- { name: q, client: "*", bytesPerDay: 50 }'));
    await expect(lowered(who, part(60, 70))).rejects.toMatchObject({
      code: 'QuotaExceededException',
      members: { quota: 'q', used: 60, limit: 50 },
    });
  });

  it('is answered 503 when others write to the same count all the time, after pauses that grow and end', async () => {
    const { send, used, pauses } = open();
    const faults = Array.from({ length: 40 }, (): Fault => 'conflict');
    expect(await send(part(0, 10), { faults })).toBe('ServiceUnavailableException');
    expect(used()).toEqual([]);
    expect(pauses.length).toBeGreaterThan(5);
    expect(pauses.reduce((total, ms) => total + ms)).toBeLessThan(10_000);
  });

  it('is counted for a subject of any length and any characters', async () => {
    const { table } = open();
    const { client } = table.connect(() => 'none');
    const count = quotaCounter(client, 'table', parseQuotas(at100));
    const ids = [
      `${'x'.repeat(150)}${'\u{1f600}'.repeat(40)}`,
      '\u{1f600}'.repeat(2_000),
      'c',
      'c d',
      'c d e',
    ];
    for (const id of ids) {
      await count({ ...who, principal: { ...who.principal, id } }, part(0, 60));
    }
    const keys = [...table.items.keys()];
    expect(keys).toHaveLength(2 * ids.length);
    for (const key of keys) {
      expect(key.isWellFormed()).toBe(true);
      expect(Buffer.byteLength(key)).toBeLessThan(900);
    }
  });
});

describe('an image', () => {
  const image = (tag: string): Usage[] => [
    { unit: 'images', item: tag, daily: true, first: 0, end: 1 },
    { unit: 'bytes', item: tag, daily: true, first: 0, end: 30 },
  ];

  it('is counted as one and by its manifest’s bytes, both or none of them', async () => {
    const { send, used } = open(
      '- { name: q, client: c, imagesPerDay: 2 }\n- { name: b, client: c, bytesPerDay: 50 }',
    );
    expect(await send(image('v1'), { faults: ['none', 'none', 'lost'], maxAttempts: 3 })).toBe('taken');
    expect(await send(image('v1'))).toBe('taken');
    expect(await send(image('v2'))).toBe('QuotaExceededException');
    expect([used(), used('b')]).toEqual([[1], [30]]);
  });

  it('is counted from 0 on the next day', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T23:59:59Z') });
    const { send, used } = open('- { name: q, client: c, imagesPerDay: 1 }');
    expect(await send(image('v1'))).toBe('taken');
    vi.setSystemTime(new Date('2026-11-22T00:00:00Z'));
    expect(await send(image('v1'))).toBe('taken');
    expect(await send(image('v2'))).toBe('QuotaExceededException');
    expect(used()).toEqual([1, 1]);
  });
});

describe('what DynamoDB keeps', () => {
  const day = 86_400;

  it.each<[string, Usage, number]>([
    ['an upload', part(0, 60), 30],
    ['an image', { ...part(0, 60), daily: true }, 2],
  ])(
    'of %s lasts as long as it may be sent again, and the count of a day beyond the day',
    async (_, usage, days) => {
      const now = new Date('2026-11-21T12:00:00.999Z');
      vi.useFakeTimers({ toFake: ['Date'], now });
      const { table, send } = open();
      expect(await send(usage)).toBe('taken');
      const seconds = Math.floor(now.getTime() / 1_000);
      const kept = [...table.items].map(([id, { expiresAt }]) => [id.split(' ')[0], expiresAt]);
      expect(Object.fromEntries(kept)).toEqual({ mark: seconds + days * day, count: seconds + 2 * day });
    },
  );

  it('has a name that can be read, of 200 characters and a hash, however long its parts are', () => {
    expect(keyOf('count', 'q', 'bytes')).toMatch(/^count q bytes [0-9a-f]{64}$/);
    expect(keyOf('count', 'x'.repeat(5_000))).toMatch(/^count x{194} [0-9a-f]{64}$/);
    const alike = ['x'.repeat(300), `${'x'.repeat(300)}y`, `${'x'.repeat(299)} x`].map((id) =>
      keyOf('mark', id),
    );
    expect(new Set(alike).size).toBe(3);
    expect(keyOf('a', 'b c')).not.toBe(keyOf('a b', 'c'));
  });
});

/** Answers in this order; reads have no item unless it is said. */
function scripted(...answers: readonly (object | Error)[]) {
  const coming = [...answers];
  const sent: { input: object; options: unknown }[] = [];
  const send = async ({ input }: { input: object }, options: unknown) => {
    sent.push({ input, options });
    const answer = coming.shift() ?? {};
    if (answer instanceof Error) {
      throw answer;
    }
    return answer;
  };
  const client = Object.assign(new DynamoDBClient({ region: 'local' }), { send });
  const pauses: number[] = [];
  const count = quotaCounter(client, 'table', parseQuotas(at100), async (ms) => pauses.push(ms));
  return { count, sent, pauses };
}

const cancelled = (...CancellationReasons: CancellationReason[]) =>
  new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons });
const none = { Code: 'None' };
const full = (amount?: number) => ({
  Code: 'ConditionalCheckFailed',
  ...(amount !== undefined && { Item: { amount: { N: String(amount) } } }),
});
const marked = (first: number, end: number) => ({
  Item: { countedFrom: { N: String(first) }, countedTo: { N: String(end) } },
});

describe('what DynamoDB is asked', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const seconds = now.getTime() / 1_000;
  const uploadMark = keyOf('mark', 'bytes', 'Client::c', 'r', 'u');
  const countOfDay = keyOf('count', 'q', 'bytes', '2026-11-21', 'Client::c');
  const keyed = (id: string) => ({ TableName: 'table', Key: { id: { S: id } } });

  const added = (amount: number) => ({
    Update: {
      ...keyed(countOfDay),
      UpdateExpression: 'ADD amount :added SET expiresAt = :expiresAt',
      ConditionExpression: 'attribute_not_exists(amount) OR amount <= :room',
      ExpressionAttributeValues: {
        ':added': { N: String(amount) },
        ':room': { N: String(100 - amount) },
        ':expiresAt': { N: String(seconds + 2 * 86_400) },
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  });

  it.each<[string, object[], object, object]>([
    ['a part whose upload has no mark', [], { ConditionExpression: 'attribute_not_exists(countedTo)' }, {}],
    [
      'a part whose upload has one',
      [marked(0, 0)],
      { ConditionExpression: 'countedFrom = :oldFirst AND countedTo = :oldEnd' },
      { ':oldFirst': { N: '0' }, ':oldEnd': { N: '0' } },
    ],
  ])('of %s is one transaction with the mark', async (_, answers, condition, values) => {
    vi.useFakeTimers({ toFake: ['Date'], now });
    const { count, sent } = scripted(...answers);
    const { signal: abortSignal } = new AbortController();
    await count(who, part(0, 60), { abortSignal });
    expect(sent).toEqual([
      { input: { ...keyed(uploadMark), ConsistentRead: true }, options: { abortSignal } },
      {
        options: { abortSignal },
        input: {
          ClientRequestToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
          TransactItems: [
            {
              Update: {
                ...keyed(uploadMark),
                UpdateExpression: 'SET countedFrom = :first, countedTo = :end, expiresAt = :expiresAt',
                ...condition,
                ExpressionAttributeValues: {
                  ':first': { N: '0' },
                  ':end': { N: '60' },
                  ...values,
                  ':expiresAt': { N: String(seconds + 30 * 86_400) },
                },
              },
            },
            added(60),
          ],
        },
      },
    ]);
  });

  it('of an image has a mark of its day', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now });
    const { count, sent } = scripted();
    await count(who, { ...part(0, 60), daily: true });
    expect(sent[0]).toEqual({
      input: {
        ...keyed(keyOf('mark', 'bytes', 'Client::c', 'r', 'u', '2026-11-21')),
        ConsistentRead: true,
      },
      options: {},
    });
  });

  it('is nothing of what is counted already, or counted by no quota', async () => {
    const { count, sent } = scripted(marked(0, 60));
    await count(who, part(0, 60));
    expect(sent).toHaveLength(1);
    await count(who, { ...part(0, 60), unit: 'images' });
    expect(sent).toHaveLength(1);
  });

  it('is asked again with what has changed, and is not asked about the client twice', async () => {
    const { count, sent, pauses } = scripted(
      {},
      cancelled(full(), none),
      marked(0, 40),
      cancelled(none, { Code: 'TransactionConflict' }),
      marked(0, 40),
      {},
    );
    const refuseAhead = vi.fn(async () => {});
    await count(who, part(20, 60), { refuseAhead });
    expect(sent).toHaveLength(6);
    expect(refuseAhead).toHaveBeenCalledTimes(1);
    expect(pauses).toHaveLength(2);
    expect(pauses[0]).toBeLessThanOrEqual(40);
    expect(pauses[1]).toBeLessThanOrEqual(80);
  });

  it.each([1, 20])(
    'asks nobody about a part that touches what is counted, or is the first: %i',
    async (end) => {
      const refuseAhead = vi.fn(async () => {});
      await scripted().count(who, part(0, end), { refuseAhead });
      await scripted(marked(0, 20)).count(who, part(20, 40), { refuseAhead });
      expect(refuseAhead).not.toHaveBeenCalled();
      await scripted(marked(0, 20)).count(who, part(21, 40), { refuseAhead });
      expect(refuseAhead).toHaveBeenCalledTimes(1);
    },
  );

  it.each<[string, Error]>([
    ['for a reason that nobody foresees', cancelled(none, { Code: 'ValidationError' })],
    ['for no reason at all', cancelled()],
    ['by something else', new Error('denied')],
  ])('fails where the transaction is cancelled %s', async (_, error) => {
    const { count, pauses } = scripted({}, error);
    await expect(count(who, part(0, 60))).rejects.toBe(error);
    expect(pauses).toEqual([]);
  });

  it.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    'is tried twelve times where it is cancelled by %s, and is then too much at once',
    async (Code) => {
      vi.spyOn(Math, 'random').mockReturnValue(1);
      const busy = Array.from({ length: 24 }, (_, n) => (n % 2 === 0 ? {} : cancelled({}, { Code })));
      const { count, sent, pauses } = scripted(...busy);
      await expect(count(who, part(0, 60))).rejects.toMatchObject({
        code: 'ServiceUnavailableException',
        message:
          'Too many requests are counted against the same quota at this moment. Send the same request again.',
      });
      expect(sent).toHaveLength(24);
      expect(pauses).toEqual([40, 80, 160, 320, 640, 640, 640, 640, 640, 640, 640]);
    },
  );
});

describe('several usages of one request', () => {
  const both = (first: Usage, second: Usage) => [first, second];

  it('ask about the upload where one of them leaves a gap, and once', async () => {
    const refuseAhead = vi.fn(async () => {});
    const conflict = cancelled(none, none, { Code: 'TransactionConflict' }, none);
    const { count } = scripted(marked(0, 20), {}, conflict, marked(0, 20), {}, {});
    await count(who, both(part(20, 40), part(40, 60, 'v')), { refuseAhead });
    expect(refuseAhead).toHaveBeenCalledTimes(1);
  });

  it('are not refused while the mark of one of them has changed', async () => {
    const changed = cancelled(full(), none, full(70), none);
    const { count } = scripted(...Array.from({ length: 12 }, () => [{}, {}, changed]).flat());
    await expect(count(who, both(part(0, 20), part(0, 20, 'v')))).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
    });
  });
});

describe('an item of the table', () => {
  it.each([undefined, {}, { countedFrom: { N: '1' } }, { countedTo: { N: '1' } }])(
    'is no mark without both its ends: %j',
    (item) => {
      expect(countedOf(item)).toBeUndefined();
    },
  );

  it('is a mark, or a count', () => {
    expect(countedOf({ countedFrom: { N: '0' }, countedTo: { N: '5' } })).toEqual({ first: 0, end: 5 });
    expect(usedOf({ amount: { N: '7' } })).toBe(7);
    expect([usedOf(undefined), usedOf({})]).toEqual([0, 0]);
  });

  it.each([{ N: 'many' }, { N: '1e99' }, { N: '0.5' }, { S: '7' }])('counts nothing on %j', (none) => {
    const message = expect.objectContaining({ code: 'ServerException' });
    expect(() => countedOf({ countedFrom: { N: '0' }, countedTo: none })).toThrow(message);
    expect(() => countedOf({ countedFrom: none, countedTo: { N: '5' } })).toThrow(message);
    expect(() => usedOf({ amount: none })).toThrow(message);
  });
});

describe('a refusal', () => {
  const refusal = (used: number, more: number) => ({
    code: 'QuotaExceededException',
    message:
      `The quota q allows 100 bytes a day, ${used} are used, and this would be ${more} more. ` +
      'It resets at 2026-11-22T00:00:00.000Z.',
    members: { quota: 'q', used, limit: 100, resetsAt: '2026-11-22T00:00:00.000Z' },
  });

  it.each([
    [70, 70],
    [undefined, 0],
  ])('says what is used, where the count holds %s', async (amount, used) => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T12:00:00Z') });
    const { count, sent } = scripted({}, cancelled(none, full(amount)), {});
    await expect(count(who, part(0, 60))).rejects.toMatchObject(refusal(used, 60));
    expect(sent).toHaveLength(3);
  });

  it('is made of reasons that leave out what is none', async () => {
    const { count } = scripted({}, cancelled({}, full(70)), {});
    await expect(count(who, part(0, 60))).rejects.toMatchObject({ code: 'QuotaExceededException' });
  });

  it('is taken back where another request has counted some of the same in the meantime', async () => {
    const { count, sent } = scripted({}, cancelled(none, full(70)), marked(0, 40), {});
    await count(who, part(0, 60));
    expect(sent).toHaveLength(4);
  });

  it('is taken back where another request has counted the same in the meantime', async () => {
    const { count } = scripted({}, cancelled(none, full(70)), marked(0, 60));
    await count(who, part(0, 60));
  });

  it('is not made of a count while the mark has changed as well', async () => {
    const both = cancelled(full(), full(70));
    const answers = Array.from({ length: 12 }, () => [{}, both]).flat();
    await expect(scripted(...answers).count(who, part(0, 60))).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
    });
  });

  it('of what no day has room for says what is used, and adds nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T12:00:00Z') });
    const { count, sent } = scripted({}, { Item: { amount: { N: '30' } } });
    await expect(count(who, part(0, 101))).rejects.toMatchObject(refusal(30, 101));
    expect(sent).toHaveLength(2);
    await scripted().count(who, part(0, 100));
  });
});

it('whatever is lost, sent again and sent at once, no byte goes uncounted, none is counted twice, and what fits is taken', async () => {
  await fc.assert(fc.asyncProperty(races, raceHolds), fuzzed(40));
});
