// The secret: which of it is used where something in it is odd, and when it is read.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { maxFaults, secretMaxAgeMs, secretRereadMs } from '../../api/limits.ts';
import { opensWith, sealsWith } from '../../api/sealing-keys.ts';
import { clientNameOf, isClientName, readSecretText } from '../../api/secret.ts';
import { knownByOf, verifyClientToken } from '../../lambda/identity/client-token.ts';
import { secretReader } from '../../lambda/identity/secret.ts';
import type { ReportFault } from '../../lambda/telemetry/configuration-faults.ts';
import { fuzzed } from '../support/fuzzing.ts';

const sealingKey = 'k'.repeat(64);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const good = [{ sha256: sha256('eup_good_token'), createdAt: '2026-01-01T00:00:00Z' }];
const text = (clients: unknown, more: object = {}) => JSON.stringify({ clients, sealingKey, ...more });

const oddClients: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a number', 7],
  ['an object in place of a list', { sha256: sha256('x') }],
  ['a token without a hash', [{}]],
  ['a token that is null', [null]],
  ['a hash that is a number', [{ sha256: 7 }]],
  ['the token in place of its hash', [{ sha256: 'eup_odd_token' }]],
  ['a hash that is too short', [{ sha256: 'abc' }]],
  ['an end that is no time', [{ sha256: sha256('x'), expiresAt: 'tomorrow' }]],
  ['an end that is null', [{ sha256: sha256('x'), expiresAt: null }]],
  ['one good token and one odd one', [{ sha256: sha256('x') }, 'y']],
];

describe('an odd client of the secret', () => {
  it.each(oddClients)('that is %s has no token, is named, and spoils no other', (_, odd) => {
    const { secret, faults } = readSecretText(text({ odd, good }));
    expect(secret.clients).toEqual({ good });
    expect(faults).toEqual(['clients.odd']);
  });

  it('whose name is none is not quoted: it may be a token', () => {
    const { secret, faults } = readSecretText(text({ eup_team_secret: good, good }));
    expect(secret.clients).toEqual({ good });
    expect(faults).toEqual(['a member of clients that is no client’s name']);
  });

  it('never affects another client, whatever it is', () => {
    const names = fc.oneof(fc.string(), fc.constantFrom('odd', '__proto__', 'constructor', 'good-2'));
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.jsonValue()), { maxLength: 5 }), (odd) => {
        const clients = Object.fromEntries([...odd, ['good', good]]);
        const { secret, faults } = readSecretText(text(clients));
        expect(secret.clients.good).toEqual(good);
        const named = new Set([
          ...Object.keys(secret.clients),
          ...faults.map((one) => one.replace('clients.', '')),
        ]);
        expect(Object.keys(clients).filter((name) => isClientName(name) && !named.has(name))).toEqual([]);
      }),
      fuzzed(200),
    );
  });
});

const before = {
  key: 'b'.repeat(32),
  sealsUntil: '2026-01-01T00:01:00Z',
  opensUntil: '2026-01-02T00:00:00Z',
};

describe('the secret', () => {
  it('is used without a key before that is odd', () => {
    const { secret, faults } = readSecretText(text({ good }, { previousSealingKey: { key: 'short' } }));
    expect(secret).toEqual({ clients: { good }, sealingKey });
    expect(faults).toEqual(['previousSealingKey']);
  });

  it.each([0, 1, 31])('cannot be used with a sealing key of %i characters', (length) => {
    const short = 'k'.repeat(length);
    expect(() => readSecretText(text({ good }, { sealingKey: short }))).toThrow();
    const previousSealingKey = { ...before, key: short };
    const { secret, faults } = readSecretText(text({ good }, { previousSealingKey }));
    expect(secret.previousSealingKey).toBeUndefined();
    expect(faults).toEqual(['previousSealingKey']);
  });

  it('is used with sealing keys of 32 characters', () => {
    const keys = { sealingKey: 'k'.repeat(32), previousSealingKey: before };
    expect(readSecretText(text({ good }, keys))).toEqual({
      secret: { clients: { good }, ...keys },
      faults: [],
    });
  });

  it('may begin with a byte order mark, and have its hashes in capitals', () => {
    const capitals = [{ sha256: sha256('x').toUpperCase() }];
    expect(readSecretText(`\uFEFF${text({ capitals })}`).secret.clients).toEqual({ capitals });
  });

  it.each([
    '',
    'null',
    '[]',
    '{"clients":{}}',
    text(null),
    text([]),
    JSON.stringify({ clients: {}, sealingKey: 'short' }),
  ])('cannot be used where it is %j', (one) => {
    expect(() => readSecretText(one)).toThrow();
  });
});

describe('the key before', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const at = (ms: number) => new Date(now + ms).toISOString();
  const keys = (sealsUntil: string, opensUntil: string) => ({
    sealingKey,
    previousSealingKey: { key: before.key, sealsUntil, opensUntil },
  });

  it('seals up to its time, and opens up to its other', () => {
    expect(sealsWith(keys(at(1), at(0)), new Date(now))).toBe(before.key);
    expect(sealsWith(keys(at(0), at(1)), new Date(now))).toBe(sealingKey);
    expect(opensWith(keys(at(0), at(1)), new Date(now))).toEqual([sealingKey, before.key]);
    expect(opensWith(keys(at(1), at(0)), new Date(now))).toEqual([sealingKey]);
  });

  it('need not be', () => {
    expect(sealsWith({ sealingKey }, new Date(now))).toBe(sealingKey);
    expect(opensWith({ sealingKey }, new Date(now))).toEqual([sealingKey]);
  });

  it.each([
    { ...before, key: undefined },
    { ...before, sealsUntil: 'tomorrow' },
    { ...before, sealsUntil: undefined },
    { ...before, opensUntil: 7 },
    { ...before, opensUntil: undefined },
    'b'.repeat(32),
    null,
  ])('is not used where it is %j', (previousSealingKey) => {
    const { secret, faults } = readSecretText(text({ good }, { previousSealingKey }));
    expect(secret).toEqual({ clients: { good }, sealingKey });
    expect(faults).toEqual(['previousSealingKey']);
  });
});

describe('the form of a client token', () => {
  it.each([
    ['eup_a_b', 'a'],
    ['eup_team-a-ci_Az09', 'team-a-ci'],
    [`eup_0_${'x'.repeat(128)}`, '0'],
    [`eup_0_${'x'.repeat(129)}`, undefined],
    ['eup__b', undefined],
    ['eup_a_', undefined],
    ['eup_a-_b', undefined],
    ['eup_-a_b', undefined],
    ['eup_a--b_b', undefined],
    ['eup_A_b', undefined],
    ['eup_a_b-c', undefined],
    ['eup_a_b_c', undefined],
    ['xeup_a_b', undefined],
    ['eup_a_b\n', undefined],
    ['', undefined],
  ])('%j is of the client %s', (one, client) => {
    expect(clientNameOf(one)).toBe(client);
  });

  it.each([
    ['a', true],
    ['team-a-ci', true],
    ['a'.repeat(64), true],
    ['a'.repeat(65), false],
    ['', false],
    ['A', false],
    ['a_b', false],
    ['-a', false],
    ['a\n', false],
    ['xx a', false],
  ])('a client may have the name %j: %s', (one, is) => {
    expect(isClientName(one)).toBe(is);
  });

  it.each([
    ['f'.repeat(64), true],
    ['F0'.repeat(32), true],
    ['f'.repeat(63), false],
    ['f'.repeat(65), false],
    ['g'.repeat(64), false],
    [`${'f'.repeat(64)}\n`, false],
  ])('a hash may be %j: %s', (hash, is) => {
    const { faults } = readSecretText(text({ ci: [{ sha256: hash }] }));
    expect(faults).toEqual(is ? [] : ['clients.ci']);
  });
});

type Report = Parameters<ReportFault>;
let reports: Report[];
let stored: string | Error;
let reads: number;
let held: Promise<void>;

const reader = () =>
  secretReader(
    async () => {
      reads += 1;
      const answer = stored;
      await held;
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
    (...report) => {
      reports.push(report);
    },
  );

const name = 'team-a-ci';
const token = (n: number) => `eup_${name}_${n}`;
const holding = (...numbers: number[]) =>
  text({ [name]: numbers.map((n) => ({ sha256: sha256(token(n)) })) });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  reports = [];
  reads = 0;
  held = Promise.resolve();
  stored = holding(1);
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('a token', () => {
  it('that was just made is known at once', async () => {
    const readSecret = reader();
    await verifyClientToken(token(1), readSecret);
    stored = holding(1, 2);
    expect(await verifyClientToken(token(2), readSecret)).toEqual({ type: 'Client', id: name });
    expect(await verifyClientToken(token(2), readSecret)).toEqual({ type: 'Client', id: name });
    expect(reads).toBe(2);
  });

  it('that is nobody’s costs one reading in a second, however many there are, and none to who is known', async () => {
    const readSecret = reader();
    await readSecret();
    for (let second = 1; second <= 3; second++) {
      const all = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) => verifyClientToken(token(n + 2), readSecret)),
      );
      expect(all.map(({ status }) => status)).not.toContain('fulfilled');
      await verifyClientToken(token(1), readSecret);
      expect(reads).toBe(1 + second);
      pass(secretRereadMs);
    }
  });

  it('that is unknown while the secret cannot be read is not called unknown; those at hand are let in', async () => {
    const readSecret = reader();
    await verifyClientToken(token(1), readSecret);
    stored = new Error('throttled');
    for (let n = 0; n < 3; n++) {
      await expect(verifyClientToken(token(2), readSecret)).rejects.toMatchObject({
        code: 'ServiceUnavailableException',
      });
      expect(await verifyClientToken(token(1), readSecret)).toMatchObject({ id: name });
    }
    expect(reads).toBe(2);
  });

  it('waits no longer than three seconds for an answer that has begun and does not end, nor do those after it', async () => {
    held = new Promise(() => {});
    const readSecret = reader();
    await expect(verifyClientToken(token(1), readSecret)).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
    });
    held = Promise.resolve();
    expect(await verifyClientToken(token(1), readSecret)).toMatchObject({ id: name });
  });

  it('is of the client whose hash it has, also where the hash is in capitals', async () => {
    stored = text({
      [name]: [{ sha256: sha256(token(1)).toUpperCase() }],
      other: [{ sha256: sha256(token(2)) }],
    });
    expect(await verifyClientToken(token(1), reader())).toEqual({ type: 'Client', id: name });
    await expect(verifyClientToken(token(2), reader())).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
    });
  });

  it.each(['eup_nobody_1', 'eup_constructor_1', `eup_${name}_x`, 'x', ''])('%j is nobody’s', async (one) => {
    await expect(verifyClientToken(one, reader())).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
    });
  });

  it('is known by its client and its hash', () => {
    expect(knownByOf(token(1))).toEqual({ client: name, sha256: sha256(token(1)) });
  });

  it('that is no client token at all costs no reading', async () => {
    await expect(verifyClientToken('eup_a', reader())).rejects.toThrow();
    expect(reads).toBe(0);
  });

  it('ends at its time, to the millisecond', async () => {
    const expiresAt = new Date(Date.now() + 1).toISOString();
    stored = text({ [name]: [{ sha256: sha256(token(1)), expiresAt }] });
    expect(await verifyClientToken(token(1), reader())).toMatchObject({ id: name });
    pass(1);
    await expect(verifyClientToken(token(1), reader())).rejects.toMatchObject({
      code: 'ExpiredTokenException',
    });
  });

  it('that was revoked is let in for as long as the secret may be old, and no longer', async () => {
    const readSecret = reader();
    await verifyClientToken(token(1), readSecret);
    stored = holding(2);
    pass(secretMaxAgeMs - 1);
    expect(await verifyClientToken(token(1), readSecret)).toMatchObject({ id: name });
    pass(1);
    await expect(verifyClientToken(token(1), readSecret)).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
    });
  });
});

describe('the reading of the secret', () => {
  it('is one for a hundred requests that come at the same time, and tried again after a failure', async () => {
    const readSecret = reader();
    stored = new Error('throttled');
    const all = await Promise.allSettled(Array.from({ length: 100 }, () => readSecret()));
    expect(all.map(({ status }) => status)).not.toContain('fulfilled');
    expect(reads).toBe(1);
    stored = holding(1);
    await verifyClientToken(token(1), readSecret);
    expect(reads).toBe(2);
  });

  it('is one for those who come while it is under way, also where another begins after it', async () => {
    const readSecret = reader();
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const first = readSecret();
    const second = readSecret({ afresh: true });
    const third = readSecret();
    expect(reads).toBe(2);
    release();
    expect(await Promise.all([first, second, third])).toHaveLength(3);
    await readSecret();
    expect(reads).toBe(2);
  });

  it('is not taken for done when an earlier one fails after it', async () => {
    const readSecret = reader();
    stored = new Error('throttled');
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const failing = readSecret();
    stored = holding(1);
    const afresh = readSecret({ afresh: true });
    expect(reads).toBe(2);
    release();
    await expect(failing).rejects.toMatchObject({
      code: 'ServiceUnavailableException',
      message: 'The tokens cannot be checked now. Try again.',
      cause: expect.objectContaining({ message: 'throttled' }),
    });
    await afresh;
    await readSecret();
    expect(reads).toBe(2);
  });

  it('is joined while it is under way, also when an earlier one has ended', async () => {
    const readSecret = reader();
    stored = new Error('throttled');
    const failing = readSecret();
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    stored = holding(1);
    const afresh = readSecret({ afresh: true });
    await expect(failing).rejects.toThrow();
    const joining = readSecret();
    expect(reads).toBe(2);
    release();
    expect(await joining).toBe(await afresh);
  });

  it('afresh is one in a second, and the one that any other began since', async () => {
    const readSecret = reader();
    await readSecret({ afresh: true });
    pass(secretRereadMs - 1);
    stored = holding(1, 2);
    await readSecret({ afresh: true });
    expect(reads).toBe(1);
    pass(1);
    expect((await readSecret({ afresh: true })).clients[name]).toHaveLength(2);
    expect(reads).toBe(2);
  });

  it('tells the operator of no more than the first of what is odd', async () => {
    const odd = Object.fromEntries(Array.from({ length: maxFaults + 1 }, (_, n) => [`odd-${n}`, null]));
    stored = text(odd);
    await reader()();
    const named = Array.from({ length: maxFaults }, (_, n) => `clients.odd-${n}`).join('; ');
    expect(reports).toEqual([
      [
        'secret',
        'Entries of the secret that are not in its form are ignored; the others are used.',
        new Error(`not in the form of api/secret.ts: ${named}`),
      ],
    ]);
  });

  it('tells the operator of nothing where nothing is odd', async () => {
    await reader()();
    expect(reports).toEqual([]);
  });

  it('tells the operator of what is odd, once, and quotes nothing of it', async () => {
    const readSecret = reader();
    stored = text({ odd: [{ sha256: 'eup_odd_token' }], [name]: [{ sha256: sha256(token(1)) }] });
    await verifyClientToken(token(1), readSecret);
    await verifyClientToken(token(1), readSecret);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.[0]).toBe('secret');
    expect(String(reports[0]?.[2])).toContain('clients.odd');
    expect(String(reports[0]?.[2])).not.toContain('eup_');
  });

  it('tells the operator of a secret that is none', async () => {
    stored = '{"clients": "eup_odd_token"}';
    await expect(reader()()).rejects.toMatchObject({ code: 'ServiceUnavailableException' });
    const fault = new Error('the secret is not the JSON that api/secret.ts describes');
    expect(reports).toEqual([['secret', 'Nobody is let in: the secret cannot be used.', fault]]);
  });
});
