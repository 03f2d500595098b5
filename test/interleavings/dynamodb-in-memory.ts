// DynamoDB's transactions in memory, as the quotas' table has them, behind the commands of the SDK.

import {
  DynamoDBServiceException,
  GetItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';
import { tableInMemory } from '../support/table-in-memory.ts';
import type { Effect } from './scheduler.ts';

const targetPrefix = 'DynamoDB_20120810.';

/** @param writesMarkFirst plants a bug: the mark of a transaction is written before its count */
export function dynamoDbInMemory({ writesMarkFirst = false } = {}) {
  const { items, execute } = tableInMemory();

  function transact(input: TransactWriteItemsCommandInput, attempts: number) {
    const { status, body } = execute(`${targetPrefix}TransactWriteItems`, input);
    if (status === 200) {
      return body;
    }
    const $metadata = { httpStatusCode: status, attempts };
    if ('CancellationReasons' in body && Array.isArray(body.CancellationReasons)) {
      const { CancellationReasons } = body;
      throw new TransactionCanceledException({ message: 'cancelled', CancellationReasons, $metadata });
    }
    throw new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', $metadata });
  }

  return {
    items,
    read: (command: unknown): Effect[] => {
      if (command instanceof GetItemCommand) {
        const { TableName, Key, ConsistentRead } = command.input;
        const item = { TableName, Key, ConsistentRead };
        return [{ writes: false, effect: () => execute(`${targetPrefix}GetItem`, item).body }];
      }
      if (command instanceof TransactWriteItemsCommand) {
        const { TransactItems = [], ClientRequestToken } = command.input;
        const each = writesMarkFirst ? TransactItems.map((item) => [item]) : [TransactItems];
        return each.map((items, n) => ({
          writes: true,
          effect: (attempts) =>
            transact({ TransactItems: items, ClientRequestToken: `${ClientRequestToken} ${n}` }, attempts),
        }));
      }
      throw new Error('DynamoDB is asked what is not modelled');
    },
  };
}
