// The local DynamoDB: dynalite, in memory, with the tables of the template and the transactions that it lacks.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { z } from 'zod';
import { closeServer, loopback, urlOf } from '../address.ts';
import { type CallDynamoDb, transactions } from './transactions.ts';

type DynamoDbOptions = {
  /** Each with the key `id`, a string: the only form that the stack has. */
  tableNames: readonly string[];
};

const targetPrefix = 'DynamoDB_20120810.';
const contentType = 'application/x-amz-json-1.0';

/** dynalite wants a signature, and checks none. */
const signed = {
  authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none',
  'x-amz-date': '20260101T000000Z',
};

const answerBody = z.record(z.string(), z.unknown());

const callTo =
  (url: string): CallDynamoDb =>
  async (operation, input) => {
    const headers = { ...signed, 'x-amz-target': `${targetPrefix}${operation}`, 'content-type': contentType };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) });
    return { status: response.status, body: answerBody.parse(await response.json()) };
  };

/** One after the other, so that nobody sees half a transaction. */
function queue() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(task: () => Promise<T>): Promise<T> => {
    const turn = last.then(task, task);
    last = turn;
    return turn;
  };
}

async function createTables(endpoint: string, tableNames: readonly string[]) {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'local', credentials });
  for (const TableName of tableNames) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName });
  }
  client.destroy();
}

export async function startDynamoDb({ tableNames }: DynamoDbOptions) {
  const store = dynalite({ createTableMs: 0 });
  store.listen(0, loopback);
  await once(store, 'listening');
  const call = callTo(urlOf(store));
  const inTurn = queue();
  const transact = transactions(call, inTurn);

  const server = createServer(async (request, response) => {
    try {
      const operation = String(request.headers['x-amz-target']).replace(targetPrefix, '');
      const input: unknown = await json(request);
      const { status, body } =
        operation === 'TransactWriteItems'
          ? await transact(input)
          : await inTurn(() => call(operation, answerBody.parse(input)));
      response.writeHead(status, { 'content-type': contentType }).end(JSON.stringify(body));
    } catch {
      response.destroy();
    }
  });
  server.listen(0, loopback);
  await once(server, 'listening');
  const url = urlOf(server);
  await createTables(url, tableNames);

  const close = async () => {
    await closeServer(server);
    await closeServer(store);
  };
  return { url, close };
}
