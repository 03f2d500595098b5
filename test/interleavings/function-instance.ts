// A function's instance as deployed, from the policy's decision on, with the SDK's clients turned to services in memory.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { S3Client } from '@aws-sdk/client-s3';
import type { OperationName, Output } from '../../api/operations.ts';
import type { Quota } from '../../api/quotas.ts';
import type { SecretReader } from '../../lambda/identity/secret.ts';
import { quotaCounter } from '../../lambda/quota/quota-counts.ts';
import { authorize } from '../../lambda/steps/authorize.ts';
import { forward } from '../../lambda/steps/forward.ts';
import type { Input } from '../../lambda/steps/validate.ts';
import { privateEcr, publicEcr } from '../../lambda/upload/ecr.ts';
import { type Staging, s3Staging } from '../../lambda/upload/staging.ts';
import type { Principal } from '../../policy/principal.ts';
import type { Service } from './services-in-memory.ts';

export const registryId = '123456789012';

type Send = (service: Service, command: object) => Promise<unknown>;

const config = { region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const measure = <T>(_: unknown, call: () => Promise<T>) => call();
const record = { add: () => {}, count: () => {}, warn: () => {} };
const { signal: abortSignal } = new AbortController();
const allowed = { allowed: true, policies: [], errors: [] };

/**
 * Dear to make, so that they are made once and serve one run after the other.
 * @param altered plants a change into the staging area
 */
export function openInstance(
  send: Send,
  readSecret: SecretReader,
  altered: (staging: Staging) => Staging = (staging) => staging,
) {
  const via = <Client extends object>(client: Client, service: Service) =>
    Object.assign(client, { send: (command: object) => send(service, command) });
  const stagingOf = s3Staging(via(new S3Client(config), 's3'), 'staging', measure);
  const upstream = {
    ecr: {
      ecr: privateEcr(via(new ECRClient(config), 'ecr'), measure),
      'ecr-public': publicEcr(via(new ECRPUBLICClient(config), 'ecr'), measure),
    },
    staging: (key: string) => altered(stagingOf(key)),
    readSecret,
    abortSignal,
    ...record,
  };
  const table = via(new DynamoDBClient(config), 'dynamodb');

  return async <Name extends OperationName>(
    principal: Principal,
    input: Input<Name>,
    quotas: readonly Quota[],
  ): Promise<Output<Name>> => {
    const permit = await authorize(
      principal,
      input,
      {
        policies: { decide: () => allowed },
        readSecret,
        accounts: { own: registryId, others: [], aliases: [] },
        count: quotas.length > 0 ? quotaCounter(table, 'table', quotas, async () => {}) : undefined,
      },
      record,
    );
    return forward(permit, upstream);
  };
}

export type Instance = ReturnType<typeof openInstance>;
