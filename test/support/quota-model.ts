// Parts of several uploads at once, counted over a table whose answers are lost; and what has to hold of the counts.

import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { parseQuotas, type Usage } from '../../api/quotas.ts';
import { quotaCounter } from '../../lambda/quota/quota-counts.ts';
import { type Fault, faults, tableInMemory } from './table-in-memory.ts';

/** The last one was under way before there was a quota. */
const uploads = [
  { item: 'a1', client: 'a', begunAt: 0 },
  { item: 'a2', client: 'a', begunAt: 0 },
  { item: 'b1', client: 'b', begunAt: 0 },
  { item: 'b2', client: 'b', begunAt: 30 },
];

const limits = { each: 60, all: 90 };
const quotas = parseQuotas(`
- { name: each, client: "*", bytesPerDay: ${limits.each} }
- { name: all, namespace: team, bytesPerDay: ${limits.all} }
`);

/** A part by where it begins, from the end of what its upload has: at 0 it is the next. */
const part = fc.record({
  upload: fc.constantFrom(...uploads.keys()),
  offset: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -15, max: 15 })),
  bytes: fc.integer({ min: 1, max: 20 }),
  faults: fc.array(fc.constantFrom(...faults), { maxLength: 5 }),
});
type Part = { upload: number; offset: number; bytes: number; faults: readonly Fault[] };

/** Days of parts that are sent at the same time. */
export const races = fc.record({
  scheduler: fc.scheduler(),
  days: fc.array(fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 4 }), {
    minLength: 1,
    maxLength: 3,
  }),
});
type Races = { scheduler: fc.Scheduler; days: readonly (readonly (readonly Part[])[])[] };

class AheadError extends Error {}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** @throws an assertion's error where a count is wrong */
export async function raceHolds({ scheduler, days }: Races): Promise<void> {
  const table = tableInMemory();
  const received = uploads.map(({ begunAt }) => begunAt);
  const order = () => scheduler.schedule(Promise.resolve());

  const counts = (quota: string, whose = ''): number[] =>
    [...table.items].flatMap(([id, { amount }]) =>
      id.startsWith(`count ${quota} `) && id.includes(whose) ? [Number(amount)] : [],
    );
  const marks = () => [...table.items].filter(([id]) => id.startsWith('mark '));
  const markOf = (item: string) => marks().find(([id]) => id.includes(` ${item} `))?.[1];
  const isCounted = (item: string, { first, end }: Pick<Usage, 'first' | 'end'>) => {
    const { countedFrom = Number.NaN, countedTo = Number.NaN } = markOf(item) ?? {};
    return Number(countedFrom) <= first && end <= Number(countedTo);
  };

  const send = async (upload: number, first: number, end: number, faulty: readonly Fault[] = []) => {
    const { item = '', client = '' } = uploads[upload] ?? {};
    const coming = [...faulty];
    const connection = table.connect(() => coming.shift() ?? 'none', { order });
    const count = quotaCounter(connection.client, 'table', quotas, order);
    const who = {
      principal: { type: 'Client' as const, id: client },
      resource: {
        id: 'app',
        attrs: { name: 'team/app', namespace: 'team', registry: 'ecr', registryId: '1' },
      },
    };
    const refuseAhead = async () => {
      await order();
      if (first > (received[upload] ?? 0)) {
        throw new AheadError();
      }
    };
    const forward = async () => {
      await count(who, { unit: 'bytes', item, first, end }, { refuseAhead });
      await order();
      const has = received[upload] ?? 0;
      // More than ECR takes, which wants the next byte exactly.
      if (first <= has) {
        received[upload] = Math.max(has, end);
      }
      return 'taken';
    };
    return Promise.race([forward(), connection.died]).catch((error: unknown) => {
      if (!(error instanceof ProxyError) || error.code !== 'QuotaExceededException') {
        return 'failed';
      }
      const { used = 0, limit = 0 } = error.members;
      expect(used + end - first, 'refused although it fits').toBeGreaterThan(limit);
      expect(isCounted(item, { first, end }), 'refused although it is counted').toBe(false);
      return 'full';
    });
  };

  const check = () => {
    for (const client of ['a', 'b']) {
      for (const used of counts('each', `Client::${client}`)) {
        expect(used).toBeLessThanOrEqual(limits.each);
      }
    }
    for (const used of counts('all')) {
      expect(used).toBeLessThanOrEqual(limits.all);
    }
    for (const client of ['a', 'b']) {
      const got = sum(
        uploads.map((one, n) => (one.client === client ? (received[n] ?? 0) - one.begunAt : 0)),
      );
      expect(sum(counts('each', `Client::${client}`)), 'forwarded and not counted').toBeGreaterThanOrEqual(
        got,
      );
    }
    expect(sum(counts('all')), 'counted for one quota and not for the other').toBe(sum(counts('each')));
    const ofA = marks().filter(([id]) => id.includes('Client::a'));
    for (const [, { countedFrom }] of ofA) {
      expect(countedFrom).toBe(0);
    }
    expect(sum(counts('each', 'Client::a')), 'counted twice').toBe(
      sum(ofA.map(([, { countedTo }]) => Number(countedTo))),
    );
  };

  /** Without faults, one after the other: what fits is taken, and what is sent again costs nothing. */
  const settle = async (today: string) => {
    const usedToday = (quota: string, whose = '') => {
      const found = [...table.items].find(
        ([id]) => id.startsWith(`count ${quota} bytes ${today} `) && id.includes(whose),
      );
      return Number(found?.[1].amount ?? 0);
    };
    for (const [n, { item, client }] of uploads.entries()) {
      const first = received[n] ?? 0;
      const isFree = isCounted(item, { first, end: first + 1 });
      const fits = usedToday('each', `Client::${client}`) < limits.each && usedToday('all') < limits.all;
      expect(await scheduler.waitFor(send(n, first, first + 1))).toBe(isFree || fits ? 'taken' : 'full');
      const before = sum(counts('all'));
      if (isFree || fits) {
        expect(await scheduler.waitFor(send(n, first, first + 1))).toBe('taken');
      }
      expect(sum(counts('all')), 'sent again and counted again').toBe(before);
    }
  };

  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T12:00:00Z') });
  try {
    for (const batches of days) {
      for (const parts of batches) {
        const sent = parts.map(({ upload, offset, bytes, faults: faulty }) => {
          const first = Math.max((received[upload] ?? 0) + offset, 0);
          return send(upload, first, first + bytes, faulty);
        });
        await scheduler.waitFor(Promise.all(sent));
        check();
      }
      await settle(new Date().toISOString().slice(0, 10));
      check();
      vi.setSystemTime(Date.now() + 86_400_000);
    }
  } finally {
    vi.useRealTimers();
  }
}
