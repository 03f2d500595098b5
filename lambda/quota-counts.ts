// The counts of the quotas in DynamoDB: what was sent today, and how far each upload has been counted.

import { createHash } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { DecisionRequest } from './entities.ts';
import { ProxyError } from './errors.ts';
import { type Applied, type Quota, quotasOf, type Unit } from './quotas.ts';

/**
 * What a request uses: of an item (an upload, an image) all between two positions. What was counted of the
 * item before is not counted again.
 */
export type Usage = { unit: Unit; item: string; first: number; end: number };

/** Counts what a request uses, or refuses it. */
export type Count = (who: Pick<DecisionRequest, 'principal' | 'resource'>, usage: Usage) => Promise<void>;

const secondsPerDay = 86_400;
/** How long a count is kept after its day, and how far an upload has come after its last part. */
const countKeptSeconds = 2 * secondsPerDay;
const markKeptSeconds = 30 * secondsPerDay;

const dayOf = (now: Date) => now.toISOString().slice(0, 10);
const endOf = (day: string) => new Date(Date.parse(`${day}T00:00:00Z`) + secondsPerDay * 1_000);

const isRefused = (failure: unknown) => failure instanceof ConditionalCheckFailedException;

const exceeded = ({ name, limit }: Applied, { unit }: Usage, used: number, amount: number, day: string) =>
  new ProxyError(
    'QuotaExceededException',
    `The quota ${name} allows ${limit} ${unit} a day, ${used} are used, and this would be ${amount} more. It begins anew at ${endOf(day).toISOString()}.`,
    { members: { quota: name, used, limit, resetsAt: endOf(day).toISOString() } },
  );

/** Readable as far as it goes, and short enough for a key however long a subject is (2,048 bytes). */
const keyOf = (...parts: string[]): string =>
  `${parts.join(' ').slice(0, 300)} ${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;

/** The table's items: `id` is the key, `amount` the number, `expiresAt` when DynamoDB may forget it, in seconds. */
const table = (client: DynamoDBClient, TableName: string) => ({
  read: async (id: string): Promise<number> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName, Key: { id: { S: id } }, ConsistentRead: true }),
    );
    return Number(Item?.amount?.N ?? 0);
  },
  /** @returns false when it would go over the limit */
  add: (id: string, amount: number, limit: number, keptSeconds: number): Promise<boolean> =>
    client
      .send(
        new UpdateItemCommand({
          TableName,
          Key: { id: { S: id } },
          UpdateExpression: 'ADD amount :amount SET expiresAt = :expiresAt',
          ConditionExpression: 'attribute_not_exists(amount) OR amount <= :room',
          ExpressionAttributeValues: {
            ':amount': { N: String(amount) },
            ':room': { N: String(limit - amount) },
            ':expiresAt': { N: String(Math.floor(Date.now() / 1_000) + keptSeconds) },
          },
        }),
      )
      .then(() => true, refusedTo(false)),
  /** @returns false when it is not, or no longer, at `from` */
  advance: (id: string, from: number, to: number, keptSeconds: number): Promise<boolean> =>
    client
      .send(
        new UpdateItemCommand({
          TableName,
          Key: { id: { S: id } },
          UpdateExpression: 'SET amount = :to, expiresAt = :expiresAt',
          ConditionExpression: from === 0 ? 'attribute_not_exists(amount)' : 'amount = :from',
          ExpressionAttributeValues: {
            ':to': { N: String(to) },
            ...(from > 0 && { ':from': { N: String(from) } }),
            ':expiresAt': { N: String(Math.floor(Date.now() / 1_000) + keptSeconds) },
          },
        }),
      )
      .then(() => true, refusedTo(false)),
});

const refusedTo =
  <T>(value: T) =>
  (failure: unknown): T => {
    if (isRefused(failure)) return value;
    throw failure;
  };

/**
 * A part is counted before it is forwarded, and again when it is sent again: not at all, because the upload's
 * mark has passed it. A part behind a gap is not counted: ECR refuses it. Where a function dies between count
 * and mark, its part is counted twice: strictly rather than loosely.
 *
 * @throws QuotaExceededException with the quota's name, what is used, and when it begins anew.
 */
export const quotaCounter = (client: DynamoDBClient, tableName: string, quotas: readonly Quota[]): Count => {
  const counts = table(client, tableName);

  const giveBack = async (taken: readonly string[], amount: number) => {
    for (const id of taken) await counts.add(id, -amount, Number.MAX_SAFE_INTEGER - amount, countKeptSeconds);
  };

  const take = async (applied: readonly Applied[], usage: Usage, amount: number): Promise<string[]> => {
    const day = dayOf(new Date());
    const taken: string[] = [];
    for (const quota of applied) {
      const id = keyOf('count', quota.name, usage.unit, day, quota.counter);
      if (amount > quota.limit || !(await counts.add(id, amount, quota.limit, countKeptSeconds))) {
        await giveBack(taken, amount);
        throw exceeded(quota, usage, await counts.read(id), amount, day);
      }
      taken.push(id);
    }
    return taken;
  };

  return async (who, usage) => {
    const applied = quotasOf(quotas, who, usage.unit);
    if (applied.length === 0) return;
    const { principal, resource } = who;
    const mark = keyOf('mark', usage.unit, `${principal.type}::${principal.id}`, resource.id, usage.item);
    const counted = await counts.read(mark);
    const amount = usage.end - counted;
    if (amount <= 0 || usage.first > counted) return;
    const taken = await take(applied, usage, amount);
    // Somebody else has counted the same part at the same time.
    if (!(await counts.advance(mark, counted, usage.end, markKeptSeconds))) await giveBack(taken, amount);
  };
};
