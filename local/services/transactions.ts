// TransactWriteItems, which dynalite lacks, over its UpdateItem: one transaction at a time, undone where a condition fails.

import { createHash } from 'node:crypto';
import { z } from 'zod';

/** An answer of DynamoDB's; `body` is JSON. */
export type Answer = { status: number; body: Readonly<Record<string, unknown>> };

/** Calls an operation of DynamoDB's that is no transaction. */
export type CallDynamoDb = (operation: string, input: object) => Promise<Answer>;

const item = z.record(z.string(), z.unknown());

/** As far as the functions use it: what is not modelled is refused. */
const transaction = z.strictObject({
  ClientRequestToken: z.string().min(1).max(36),
  TransactItems: z
    .array(
      z.strictObject({
        Update: z.strictObject({
          TableName: z.string(),
          Key: item,
          UpdateExpression: z.string(),
          ConditionExpression: z.string().optional(),
          ExpressionAttributeValues: item.optional(),
          ReturnValuesOnConditionCheckFailure: z.enum(['ALL_OLD', 'NONE']).default('NONE'),
        }),
      }),
    )
    .min(1)
    .max(100),
});

type Update = z.output<typeof transaction>['TransactItems'][number]['Update'];
type Reason = { Code: string; Message?: string; Item?: unknown };

/** How long a token stands for its transaction. Source: API reference, TransactWriteItems, ClientRequestToken. */
const tokenKeptMs = 600_000;

const none: Reason = { Code: 'None' };
const conflict: Reason = { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' };

const refuse = (name: string, Message: string, members = {}): Answer => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, Message, ...members },
});

const cancel = (reasons: readonly Reason[]): Answer =>
  refuse(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
    { CancellationReasons: reasons },
  );

const placeOf = ({ TableName, Key }: Pick<Update, 'TableName' | 'Key'>) => ({ TableName, Key });
const keyOf = (update: Update) => JSON.stringify(placeOf(update));
const isHeld = ({ body }: Answer) => String(body.__type).endsWith('#ConditionalCheckFailedException');

/** Writes all, or takes back what it has written. */
async function write(call: CallDynamoDb, updates: readonly Update[]): Promise<Answer> {
  const undo: (() => Promise<Answer>)[] = [];
  const reasons: Reason[] = [];
  let failure: Answer | undefined;
  for (const { ReturnValuesOnConditionCheckFailure: returned, ...update } of updates) {
    const answer = await call('UpdateItem', { ...update, ReturnValues: 'ALL_OLD' });
    if (answer.status === 200) {
      const { TableName, Key } = update;
      const { Attributes: Item } = answer.body;
      undo.unshift(() =>
        Item ? call('PutItem', { TableName, Item }) : call('DeleteItem', { TableName, Key }),
      );
      reasons.push(none);
    } else if (isHeld(answer)) {
      const { body } = await call('GetItem', placeOf(update));
      const Item = returned === 'ALL_OLD' && body.Item ? { Item: body.Item } : {};
      reasons.push({ Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', ...Item });
    } else {
      failure ??= answer;
    }
  }
  if (!failure && reasons.every((reason) => reason === none)) {
    return { status: 200, body: {} };
  }
  for (const step of undo) {
    await step();
  }
  return failure ?? cancel(reasons);
}

/** By what a token is known: the same request finds its answer, another one is refused. */
function openTokens() {
  /** `until` is undefined while the transaction is under way. */
  const tokens = new Map<string, { digest: string; until?: number }>();
  return {
    /** @returns the answer, where the token is known */
    find: (token: string, digest: string): Answer | undefined => {
      for (const [key, { until = Number.POSITIVE_INFINITY }] of tokens) {
        if (until <= Date.now()) {
          tokens.delete(key);
        }
      }
      const known = tokens.get(token);
      if (!known) {
        return undefined;
      }
      if (known.digest !== digest) {
        return refuse('IdempotentParameterMismatchException', 'The token stands for another request');
      }
      return known.until === undefined
        ? refuse('TransactionInProgressException', 'The transaction of this token is under way')
        : { status: 200, body: {} };
    },
    begin: (token: string, digest: string) => tokens.set(token, { digest }),
    end: (token: string, digest: string, isDone: boolean) =>
      isDone ? tokens.set(token, { digest, until: Date.now() + tokenKeptMs }) : tokens.delete(token),
  };
}

/**
 * @param inTurn runs a task while nothing else reads or writes
 * @returns what answers TransactWriteItems: of two that meet at one item, the later is cancelled
 */
export function transactions(call: CallDynamoDb, inTurn: (task: () => Promise<Answer>) => Promise<Answer>) {
  const underWay = new Set<string>();
  const tokens = openTokens();

  return async (input: unknown): Promise<Answer> => {
    const { data, error } = transaction.safeParse(input);
    if (!data) {
      return refuse('ValidationException', `Not modelled here: ${z.prettifyError(error)}`);
    }
    const { ClientRequestToken: token, TransactItems } = data;
    const updates = TransactItems.map(({ Update }) => Update);
    const keys = updates.map(keyOf);
    if (new Set(keys).size < keys.length) {
      return refuse(
        'ValidationException',
        'Transaction request cannot include multiple operations on one item',
      );
    }
    const digest = createHash('sha256').update(JSON.stringify(TransactItems)).digest('hex');
    const known = tokens.find(token, digest);
    if (known) {
      return known;
    }
    if (keys.some((key) => underWay.has(key))) {
      return cancel(keys.map((key) => (underWay.has(key) ? conflict : none)));
    }
    tokens.begin(token, digest);
    for (const key of keys) {
      underWay.add(key);
    }
    let isDone = false;
    try {
      const answer = await inTurn(() => write(call, updates));
      isDone = answer.status === 200;
      return answer;
    } finally {
      for (const key of keys) {
        underWay.delete(key);
      }
      tokens.end(token, digest, isDone);
    }
  };
}
