// The quota table: a count for each quota, day and counter, and for each upload and image a mark of what is counted.

import { createHash, randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  type CancellationReason,
  type DynamoDBClient,
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Range } from '../../api/quotas.ts';
import { cancellationReasonsOf } from '../sdk-failures.ts';

type Item = Record<string, AttributeValue> | undefined;

const secondsPerDay = 86_400;

/** How long DynamoDB keeps a count or the mark of an image, and the mark of an upload, after their last change. */
const countKeptSeconds = 2 * secondsPerDay;
const uploadKeptSeconds = 30 * secondsPerDay;

/** Readable, and cut where a subject is long: the item stays below 1 KB, which is one write unit. */
export const keyOf = (...parts: string[]): string =>
  `${parts.join(' ').slice(0, 200).toWellFormed()} ${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;

/** @throws ServerException: nothing is counted on what is none */
function numberOf(attribute: AttributeValue): number {
  const number = Number(attribute.N);
  if (!Number.isSafeInteger(number)) {
    throw new ProxyError('ServerException', undefined, {
      cause: new Error('an item of the quota table has no number where a count is'),
    });
  }
  return number;
}

/** What is counted according to a mark; undefined where there is no mark. */
export const countedOf = (mark: Item): Range | undefined =>
  mark?.countedFrom === undefined || mark.countedTo === undefined
    ? undefined
    : { first: numberOf(mark.countedFrom), end: numberOf(mark.countedTo) };

export const usedOf = (count: Item): number => (count?.amount ? numberOf(count.amount) : 0);

/** A mark as it was read (`counted`), and as it will be; `daily` is that of an image. */
export type Move = { mark: string; counted: Range | undefined; range: Range; daily: boolean };
export type Addition = { count: string; added: number; limit: number };

/** Temporary: other requests write to the same item, or DynamoDB throttles. */
const passing = ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'];
const foreseen = new Set(['None', 'ConditionalCheckFailed', ...passing]);

const number = (value: number) => ({ N: String(value) });

/** @param options for every call to DynamoDB */
export function quotaTable(
  client: DynamoDBClient,
  TableName: string,
  options: { abortSignal?: AbortSignal },
) {
  const keyed = (id: string) => ({ TableName, Key: { id: { S: id } } });
  const expiresAt = (seconds: number) => number(Math.floor(Date.now() / 1_000) + seconds);

  const move = ({ mark, counted, range, daily }: Move): TransactWriteItem => ({
    Update: {
      ...keyed(mark),
      UpdateExpression: 'SET countedFrom = :first, countedTo = :end, expiresAt = :expiresAt',
      ConditionExpression: counted
        ? 'countedFrom = :oldFirst AND countedTo = :oldEnd'
        : 'attribute_not_exists(countedTo)',
      ExpressionAttributeValues: {
        ':first': number(range.first),
        ':end': number(range.end),
        ...(counted && { ':oldFirst': number(counted.first), ':oldEnd': number(counted.end) }),
        ':expiresAt': expiresAt(daily ? countKeptSeconds : uploadKeptSeconds),
      },
    },
  });

  const add = ({ count, added, limit }: Addition): TransactWriteItem => ({
    Update: {
      ...keyed(count),
      UpdateExpression: 'ADD amount :added SET expiresAt = :expiresAt',
      ConditionExpression: 'attribute_not_exists(amount) OR amount <= :room',
      ExpressionAttributeValues: {
        ':added': number(added),
        ':room': number(limit - added),
        ':expiresAt': expiresAt(countKeptSeconds),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  });

  return {
    read: async (id: string): Promise<Item> => {
      const command = new GetItemCommand({ ...keyed(id), ConsistentRead: true });
      return (await client.send(command, options)).Item;
    },

    /**
     * Moves the marks, if each is as it was read, and adds to the counts, if each stays within its limit: all of it or
     * nothing. The caller checks that `added` alone is within the limit: DynamoDB does not where there is no count yet.
     *
     * @returns undefined when it is done, else why each item was not written, in the same order
     */
    commit: async (
      moves: readonly Move[],
      additions: readonly Addition[],
    ): Promise<readonly CancellationReason[] | undefined> => {
      const TransactItems = [...moves.map(move), ...additions.map(add)];
      // The token keeps DynamoDB from repeating what the SDK sends again after a lost answer.
      const command = new TransactWriteItemsCommand({ TransactItems, ClientRequestToken: randomUUID() });
      try {
        await client.send(command, options);
        return undefined;
      } catch (error) {
        const reasons = cancellationReasonsOf(error);
        if (!reasons?.length || !reasons.every(({ Code = 'None' }) => foreseen.has(Code))) {
          throw error;
        }
        return reasons;
      }
    },
  };
}
