// The functions and the hosted registry as deployed, as many instances as one likes, over services in memory.

import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { S3Client } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import type { OperationName } from '../../api/operations.ts';
import { operationNames } from '../../api/operations.ts';
import { parseQuotas } from '../../api/quotas.ts';
import type { FunctionServices } from '../../lambda/function-services.ts';
import { awsHandler, type Handler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { type SecretReader, secretReader } from '../../lambda/identity/secret.ts';
import { quotaCounter } from '../../lambda/quota/quota-counts.ts';
import { CodeTracer } from '../../lambda/telemetry/traces.ts';
import { privateEcr, publicEcr } from '../../lambda/upload/ecr.ts';
import { s3Staging } from '../../lambda/upload/staging.ts';
import { localAccount } from '../../local/account.ts';
import { answerMs, Unanswered } from '../../registry/hosted/answer-time.ts';
import { patience } from '../../registry/hosted/calls.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { maxSends } from '../../registry/hosted/part-sender.ts';
import { maxManifestReads } from '../../registry/hosted/read-images.ts';
import { hostedRegistry } from '../../registry/hosted/registry.ts';
import { unrecorded } from '../../registry/hosted/request-record.ts';
import { RequestRecords } from '../../registry/hosted/request-records.ts';
import type { OpenRegistry } from '../../registry/port.ts';
import type { Service } from '../interleavings/services-in-memory.ts';

/** What a request reaches beyond its function. */
export type Reach = {
  readonly send: (service: Service, command: object) => Promise<unknown>;
  readonly fetchSecret: () => Promise<string>;
};

/** SDK clients, policies and handlers are dear to make: which program they serve goes with each request. */
const reach = new AsyncLocalStorage<Reach>();

function reached(): Reach {
  const found = reach.getStore();
  if (!found) {
    throw new Error('a call to AWS outside of a request');
  }
  return found;
}

const config = {
  region: localAccount.region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
};
const via = <Client extends object>(client: Client, service: Service): Client =>
  Object.assign(client, { send: (command: object) => reached().send(service, command) });
const measure = <T>(_: unknown, call: () => Promise<T>) => call();

/** Whoever has a token may push: what is left between two clients is the seal. Cedar takes a fifth of a program's time. */
const policies = { decide: () => ({ allowed: true, policies: [], errors: [] }) };

/** Of client a, and few enough that programs use them up; client b has no quota. */
export const bytesPerDay = 30;
export const counted = 'a';
const quotas = parseQuotas(`[{ name: each, client: ${counted}, bytesPerDay: ${bytesPerDay} }]`);

export type Front = 'resource' | 'aws';

/** One function instance, or one process of the registry endpoint: all it keeps between requests is the secret. */
export type Instance = {
  readonly services: FunctionServices;
  readonly handlers: ReadonlyMap<OperationName, Readonly<Record<Front, Handler>>>;
  /** The registry endpoint of this process. */
  readonly registry: OpenRegistry;
  /** It starts again, and has read nothing yet. */
  readonly restart: () => void;
};

function openInstance(shared: Pick<FunctionServices, 'upstream' | 'authority' | 'tracer'>): Instance {
  const report = () => {
    throw new Error('the secret is not as it was written');
  };
  let reader: SecretReader;
  let registry: OpenRegistry;
  const restart = () => {
    registry = openRegistry();
    reader = secretReader(() => reached().fetchSecret(), report);
  };
  const readSecret: SecretReader = (options) => reader(options);
  const services: FunctionServices = {
    tracer: shared.tracer,
    beginRecord: () => unrecorded,
    registries: ['ecr'],
    tokens: {
      readSecret,
      verifyOidcToken: async () => {
        throw new Error('no issuer is configured');
      },
    },
    authority: { ...shared.authority, readSecret },
    upstream: { ...shared.upstream, readSecret },
  };
  const openRegistry = () =>
    hostedRegistry({
      services,
      registry: 'ecr',
      records: new RequestRecords(() => unrecorded),
      buffers: new PartBuffers(),
      sends: pLimit(maxSends),
      manifestReads: pLimit(maxManifestReads),
      unanswered: new Unanswered(),
      patience: { ...patience, pauseMs: () => 0 },
      answerMs,
      blobMode: 'redirect',
    });
  restart();
  const aws = awsHandler(services);
  return {
    services,
    handlers: new Map(
      operationNames.map((name) => [name, { resource: resourceHandler(name, services), aws }]),
    ),
    registry: (caller) => registry(caller),
    restart,
  };
}

/** @returns instances by number, each made when it is first asked for */
export function openDeployment() {
  const table = via(new DynamoDBClient(config), 'dynamodb');
  const readSecret: SecretReader = () => Promise.reject(new Error('each instance has its own'));
  const shared = {
    tracer: new CodeTracer(),
    authority: {
      policies,
      readSecret,
      accounts: { own: localAccount.accountId, others: [], aliases: [] },
      count: quotaCounter(table, 'table', quotas, async () => {}),
    },
    upstream: {
      ecr: {
        ecr: privateEcr(via(new ECRClient(config), 'ecr'), measure),
        'ecr-public': publicEcr(via(new ECRPUBLICClient(config), 'ecr'), measure),
      },
      staging: s3Staging(via(new S3Client(config), 's3'), 'staging', measure),
      readSecret,
    },
  };
  const instances = new Map<number, Instance>();
  return {
    instance: (number: number): Instance => {
      const found = instances.get(number) ?? openInstance(shared);
      instances.set(number, found);
      return found;
    },
    /** Does what a request does, with its own way to the services. */
    within: <Result>(to: Reach, request: () => Promise<Result>): Promise<Result> => reach.run(to, request),
  };
}

export type Deployment = ReturnType<typeof openDeployment>;
