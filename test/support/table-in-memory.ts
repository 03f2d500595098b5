// DynamoDB as far as the quotas ask it, in memory behind the SDK's own client, with answers that are lost.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';

/**
 * What becomes of a call: `dropped` never arrives, `lost` is done without an answer, `resent` is done, lost, and sent
 * again by the SDK, `dies` and `diesAfter` end the function before it is done and after.
 */
export const faults = [
  'none',
  'dropped',
  'lost',
  'resent',
  'conflict',
  'throttled',
  'dies',
  'diesAfter',
] as const;
export type Fault = (typeof faults)[number];

const value = z.union([
  z.strictObject({ N: z.string() }).transform(({ N }) => Number(N)),
  z.strictObject({ S: z.string() }).transform(({ S }) => S),
]);
const key = z.strictObject({ id: z.strictObject({ S: z.string() }) });
const getItem = z.strictObject({ TableName: z.string(), Key: key, ConsistentRead: z.literal(true) });
const transaction = z.strictObject({
  ClientRequestToken: z.string(),
  TransactItems: z.array(
    z.strictObject({
      Update: z.strictObject({
        TableName: z.string(),
        Key: key,
        UpdateExpression: z.string(),
        ConditionExpression: z.string(),
        ExpressionAttributeValues: z.record(z.string(), value),
        ReturnValuesOnConditionCheckFailure: z.literal('ALL_OLD').optional(),
      }),
    }),
  ),
});
type Update = z.output<typeof transaction>['TransactItems'][number]['Update'];
type Item = Readonly<Record<string, string | number>>;

const written = (item: Item) =>
  Object.fromEntries(
    Object.entries(item).map(([name, text]) => [
      name,
      typeof text === 'number' ? { N: String(text) } : { S: text },
    ]),
  );

function holds(item: Item, { ConditionExpression, ExpressionAttributeValues: values }: Update): boolean {
  const term = (text: string): boolean => {
    const [, absent] = /^attribute_not_exists\((\w+)\)$/.exec(text) ?? [];
    if (absent) {
      return item[absent] === undefined;
    }
    const [, name = '', operator, right = ''] = /^(\w+) (=|<=) (:\w+)$/.exec(text) ?? [];
    const [is, than] = [item[name], values[right]];
    if (!operator || than === undefined) {
      throw new Error(`not modelled: ${text}`);
    }
    return is !== undefined && (operator === '=' ? is === than : is <= than);
  };
  return ConditionExpression.split(' OR ').some((all) => all.split(' AND ').every(term));
}

function updated(item: Item, { Key, UpdateExpression, ExpressionAttributeValues: values }: Update): Item {
  const [, added, sets = ''] = /^(?:ADD (\w+ :\w+) )?SET (.+)$/.exec(UpdateExpression) ?? [];
  const next: Record<string, string | number> = { ...item, id: Key.id.S };
  const [sum = '', term = ''] = added?.split(' ') ?? [];
  if (added) {
    next[sum] = Number(next[sum] ?? 0) + Number(values[term]);
  }
  for (const set of sets.split(', ')) {
    const [name = '', to = ''] = set.split(' = ');
    const given = values[to];
    if (given === undefined) {
      throw new Error(`not modelled: ${set}`);
    }
    next[name] = given;
  }
  return next;
}

type Answer = { status: number; body: object };
const cancelled = (CancellationReasons: readonly object[]): Answer => ({
  status: 400,
  body: { __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException', CancellationReasons },
});

export function tableInMemory() {
  const items = new Map<string, Item>();
  const tokens = new Set<string>();

  const transact = ({ ClientRequestToken: token, TransactItems }: z.output<typeof transaction>): Answer => {
    if (tokens.has(token)) {
      return { status: 200, body: {} };
    }
    const updates = TransactItems.map(({ Update }) => Update);
    const reasons = updates.map((update) => {
      const item = items.get(update.Key.id.S);
      if (holds(item ?? {}, update)) {
        return { Code: 'None' };
      }
      const old = update.ReturnValuesOnConditionCheckFailure && item ? { Item: written(item) } : {};
      return { Code: 'ConditionalCheckFailed', ...old };
    });
    const last = reasons.findLastIndex(({ Code }) => Code !== 'None');
    // Of several reasons only one is told: AWS's documents do not say that all are.
    if (last >= 0) {
      return cancelled(reasons.map((reason, n) => (n === last ? reason : { Code: 'None' })));
    }
    tokens.add(token);
    for (const update of updates) {
      const id = update.Key.id.S;
      items.set(id, updated(items.get(id) ?? {}, update));
    }
    return { status: 200, body: {} };
  };

  const execute = (target: string, body: unknown): Answer => {
    if (target.endsWith('.TransactWriteItems')) {
      return transact(transaction.parse(body));
    }
    if (!target.endsWith('.GetItem')) {
      throw new Error(`not modelled: ${target}`);
    }
    const item = items.get(getItem.parse(body).Key.id.S);
    return { status: 200, body: item ? { Item: written(item) } : {} };
  };

  const refused = (code: string, target: string, body: unknown): Answer =>
    target.endsWith('.TransactWriteItems')
      ? cancelled(transaction.parse(body).TransactItems.map(() => ({ Code: code })))
      : execute(target, body);

  /**
   * A function's client.
   * @param next what becomes of its next call
   * @param order waits until the call has its turn
   * @returns beside it `died`, which resolves when a fault ends the function
   */
  const connect = (
    next: () => Fault,
    {
      maxAttempts = 1,
      order = async () => {},
    }: { maxAttempts?: number; order?: () => Promise<unknown> } = {},
  ) => {
    const died = Promise.withResolvers<void>();
    const lose = () =>
      Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
    const handle = async ({ headers, body }: { headers: Record<string, string>; body?: unknown }) => {
      const fault = next();
      await order();
      const target = headers['x-amz-target'] ?? '';
      const input: unknown = JSON.parse(
        body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body),
      );
      const run = (): Answer => {
        if (fault === 'conflict') {
          return refused('TransactionConflict', target, input);
        }
        if (fault === 'throttled') {
          return refused('ThrottlingError', target, input);
        }
        return execute(target, input);
      };
      if (fault === 'dropped') {
        throw lose();
      }
      if (fault !== 'dies') {
        const answer = run();
        if (fault === 'lost') {
          throw lose();
        }
        if (fault !== 'diesAfter') {
          const last = fault === 'resent' ? run() : answer;
          const bytes = Buffer.from(JSON.stringify(last.body));
          return { response: { statusCode: last.status, headers: {}, body: bytes } };
        }
      }
      died.resolve();
      return new Promise<never>(() => {});
    };
    const client = new DynamoDBClient({
      region: 'local',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts,
      requestHandler: { handle },
    });
    return { client, died: died.promise };
  };

  return { items, connect, execute };
}
