// The local DynamoDB: dynalite, in memory, with the tables of the template.

import { once } from 'node:events';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { closeServer, loopback, urlOf } from './address.ts';

export type DynamoDbOptions = {
  /** Each with the key `id`, a string: the only form that the stack has. */
  tableNames: readonly string[];
};

export const startDynamoDb = async ({ tableNames }: DynamoDbOptions) => {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, loopback);
  await once(server, 'listening');
  const url = urlOf(server);
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
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
  return { url, close: () => closeServer(server) };
};
