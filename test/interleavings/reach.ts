// What the code as deployed reaches of AWS, turned to services in memory: which ones, goes with each request.

import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { S3Client } from '@aws-sdk/client-s3';
import type { Quota } from '../../api/quotas.ts';
import { type SecretReader, secretReader } from '../../lambda/identity/secret.ts';
import { quotaCounter } from '../../lambda/quota/quota-counts.ts';
import type { ServeServices } from '../../lambda/serve.ts';
import { privateEcr, publicEcr } from '../../lambda/upload/ecr.ts';
import { s3Staging } from '../../lambda/upload/staging.ts';
import { localAccount } from '../../local/account.ts';
import type { Policies } from '../../policy/policies.ts';
import type { Service } from './services-in-memory.ts';

/** What a request reaches beyond its process. */
export type Reach = {
  readonly send: (service: Service, command: object) => Promise<unknown>;
  readonly fetchSecret: () => Promise<string>;
};

/** SDK clients, policies and handlers are dear to make, and serve one run after the other. */
const reach = new AsyncLocalStorage<Reach>();

function reached(): Reach {
  const found = reach.getStore();
  if (!found) {
    throw new Error('a call to AWS outside of a request');
  }
  return found;
}

/** Does what a request does, with its own way to the services. */
export const within = <Result>(to: Reach, request: () => Result): Result => reach.run(to, request);

const config = {
  region: localAccount.region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};
const via = <Client extends object>(client: Client, service: Service): Client =>
  Object.assign(client, { send: (command: object) => reached().send(service, command) });
const measure = <T>(_: unknown, call: () => Promise<T>) => call();

/** The SDK's clients, which all processes share. */
export function openAws(quotas: readonly Quota[]) {
  return {
    count: quotaCounter(via(new DynamoDBClient(config), 'dynamodb'), 'table', quotas, async () => {}),
    ecr: {
      ecr: privateEcr(via(new ECRClient(config), 'ecr'), measure),
      'ecr-public': publicEcr(via(new ECRPUBLICClient(config), 'ecr'), measure),
    },
    staging: s3Staging(via(new S3Client(config), 's3'), 'staging', measure),
  };
}

/** What one process has of its own: all that it keeps between requests is the secret. */
export function openServices({ count, ...upstream }: ReturnType<typeof openAws>, policies: Policies) {
  const report = () => {
    throw new Error('the secret is not as it was written');
  };
  let reader: SecretReader;
  const restart = () => {
    reader = secretReader(() => reached().fetchSecret(), report);
  };
  restart();
  const readSecret: SecretReader = (options) => reader(options);
  const services: ServeServices = {
    tokens: {
      readSecret,
      verifyOidcToken: async () => {
        throw new Error('no issuer is configured');
      },
    },
    authority: {
      policies,
      readSecret,
      accounts: { own: localAccount.accountId, others: [], aliases: [] },
      count,
    },
    upstream: { ...upstream, readSecret },
  };
  return { services, restart };
}
