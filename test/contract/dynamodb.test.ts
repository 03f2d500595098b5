// The local DynamoDB's transactions, which are the project's own; and quotas over it when its answers are lost.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  DynamoDBClient,
  GetItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseQuotas } from '../../api/quotas.ts';
import { quotaCounter } from '../../lambda/quota/quota-counts.ts';
import { closeServer, loopback, urlOf } from '../../local/address.ts';
import { startDynamoDb } from '../../local/services/dynamodb.ts';

const TableName = 'counts';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const connect = (endpoint: string) =>
  new DynamoDBClient({ endpoint, region: 'local', credentials, maxAttempts: 3 });

let dynamoDb: Awaited<ReturnType<typeof startDynamoDb>>;
let client: DynamoDBClient;
beforeAll(async () => {
  dynamoDb = await startDynamoDb({ tableNames: [TableName] });
  client = connect(dynamoDb.url);
});
afterAll(async () => {
  client?.destroy();
  await dynamoDb?.close();
});

const add = (id: string, amount: number, limit = 100): TransactWriteItem => ({
  Update: {
    TableName,
    Key: { id: { S: id } },
    UpdateExpression: 'ADD amount :amount',
    ConditionExpression: 'attribute_not_exists(amount) OR amount <= :room',
    ExpressionAttributeValues: { ':amount': { N: `${amount}` }, ':room': { N: `${limit - amount}` } },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});
const transact = (items: TransactWriteItem[], ClientRequestToken: string = crypto.randomUUID()) =>
  client.send(new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken }));
async function amountOf(id: string) {
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: { id: { S: id } } }));
  return Item?.amount?.N;
}
const codesOf = (failure: { CancellationReasons?: { Code?: string }[] }) =>
  failure.CancellationReasons?.map(({ Code }) => Code);

describe('a transaction of the local DynamoDB', () => {
  it('writes all its items, or none and says of each why', async () => {
    await transact([add('a', 10), add('b', 90)]);
    const failure = await transact([add('new', 1), add('a', 10), add('b', 20)]).catch((error) => error);
    expect(failure).toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Item: { id: { S: 'b' }, amount: { N: '90' } } },
      ],
    });
    expect(await Promise.all(['new', 'a', 'b'].map(amountOf))).toEqual([undefined, '10', '90']);
  });

  it('is done once for each token, which stands for nothing else', async () => {
    for (let n = 0; n < 2; n++) {
      await transact([add('once', 10)], 'token');
    }
    await expect(transact([add('once', 20)], 'token')).rejects.toThrow('another request');
    expect(await amountOf('once')).toBe('10');
    await transact([add('full', 1, 0), add('full2', 1)], 'again');
    await expect(transact([add('full', 1, 0)], 'cancelled')).rejects.toThrow('cancelled');
    await transact([add('full', 1)], 'cancelled');
    expect(await Promise.all(['full', 'full2'].map(amountOf))).toEqual(['2', '1']);
  });

  it('is cancelled when another writes to its item, which itself is not', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => transact([add('hot', 1)]).then(() => 'done', codesOf)),
    );
    const done = answers.filter((answer) => answer === 'done').length;
    expect(done).toBeGreaterThan(0);
    for (const answer of answers) {
      if (answer !== 'done') {
        expect(answer).toEqual(['TransactionConflict']);
      }
    }
    expect(await amountOf('hot')).toBe(`${done}`);
  });

  it('that it does not model is refused', async () => {
    const twice = transact([add('x', 1), add('x', 2)]);
    await expect(twice).rejects.toThrow('multiple operations on one item');
    const put = transact([{ Put: { TableName, Item: { id: { S: 'x' } } } }]);
    await expect(put).rejects.toThrow('Not modelled here');
    expect(await amountOf('x')).toBeUndefined();
  });
});

/** Before the local DynamoDB; the answers of these numbers, counted from 1, are lost when it has given them. */
async function startLosing(lost: readonly number[]) {
  let answers = 0;
  const server = createServer(async (request, response) => {
    const { host: _, ...headers } = request.headers;
    const answer = await fetch(dynamoDb.url, {
      method: 'POST',
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, `${value}`]),
      body: await buffer(request),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    answers += 1;
    if (lost.includes(answers)) {
      request.socket.destroy();
    } else {
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(bytes);
    }
  });
  server.listen(0, loopback);
  await once(server, 'listening');
  return { url: urlOf(server), close: () => closeServer(server) };
}

describe('a quota over it', () => {
  const quotas = parseQuotas('- { name: q, client: "*", bytesPerDay: 100 }');
  const whoIs = (id: string) => ({
    principal: { type: 'Client' as const, id },
    resource: { id: 'r', attrs: { name: 'a/b', namespace: 'a', registry: 'ecr', registryId: '1' } },
  });
  const part = (item: string, first: number, end: number) => ({ unit: 'bytes' as const, item, first, end });

  it.each([[[1]], [[2]], [[3]], [[4]], [[1, 2]], [[2, 3]], [[2, 4, 5]]])(
    'takes what fits, counts it once, and refuses the rest, with the answers %j lost',
    async (lost) => {
      const losing = await startLosing(lost);
      const connection = connect(losing.url);
      const who = whoIs(`lost ${lost}`);
      const count = quotaCounter(connection, TableName, quotas);
      await count(who, part('u', 0, 60));
      await count(who, part('u', 60, 100));
      await count(who, part('u', 60, 100));
      await expect(count(who, part('u', 100, 101))).rejects.toMatchObject({
        code: 'QuotaExceededException',
        members: { used: 100 },
      });
      connection.destroy();
      await losing.close();
    },
  );

  it('takes as much as it allows of many uploads at once, and not more', async () => {
    const count = quotaCounter(client, TableName, quotas);
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => count(whoIs('many'), part(`u${n}`, 0, 20))),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    await expect(count(whoIs('many'), part('last', 0, 1))).rejects.toMatchObject({ members: { used: 100 } });
  });
});
