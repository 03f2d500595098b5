// What the corridor reaches beyond its own code, made once per process, and a client of AWS when it is first used.

import { Logger } from '@aws-lambda-powertools/logger';
import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Registry } from '../api/registries.ts';
import { loadPolicies } from '../policy/policies.ts';
import { readQuotas } from '../policy/quota-file.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { tokenVerifier } from './identity/oidc-token.ts';
import { secretReader } from './identity/secret.ts';
import { quotaCounter } from './quota/quota-counts.ts';
import type { ServeServices } from './serve.ts';
import { type BeginRecord, callRecords } from './telemetry/call-record.ts';
import { openMeter } from './telemetry/meter.ts';
import { privateEcr, publicEcr } from './upload/ecr.ts';
import { s3Staging } from './upload/staging.ts';

export type Services = ServeServices & {
  beginRecord: BeginRecord;
  tracer: Tracer;
  /** The ECR services that the stack is configured for. */
  registries: readonly Registry[];
};

/** A call is tried three times in all; a connection that is not there within 2 s counts as failed. */
const client = { maxAttempts: 3, requestHandler: { connectionTimeout: 2_000 } };

/** ECR Public's API is in us-east-1 (and us-west-2) only. Source: ECR Public endpoints and quotas. */
const ecrPublicRegion = 'us-east-1';

/** Each function has the code of all, and opens only what its own operations ask for. */
function once<Service>(open: () => Service): () => Service {
  let opened: { readonly service: Service } | undefined;
  return () => {
    opened ??= { service: open() };
    return opened.service;
  };
}

/** @param isTraced whether X-Ray is told of each call: Lambda runs its daemon, and nobody else does */
export function openServices(
  environment: Environment = readEnvironment(process.env),
  { isTraced = true }: { isTraced?: boolean } = {},
): Services {
  const tracer = new Tracer(isTraced ? {} : { enabled: false });
  const traced = tracer.captureAWSv3Client.bind(tracer);
  const { accounts, registries, secretId, stagingBucket, policyDirectory, issuers, quotaTable } = environment;
  const secrets = new SecretsProvider({ awsSdkV3Client: traced(new SecretsManagerClient(client)) });
  const readSecret = secretReader(secrets, secretId);
  const meter = openMeter();
  const { measure } = meter;
  const ecr = once(() => privateEcr(traced(new ECRClient(client)), measure));
  const ecrPublic = once(() =>
    publicEcr(traced(new ECRPUBLICClient({ ...client, region: ecrPublicRegion })), measure),
  );
  const staging = once(() => {
    if (stagingBucket === undefined) {
      throw new Error('STAGING_BUCKET is not set');
    }
    return s3Staging(traced(new S3Client(client)), stagingBucket, measure);
  });
  const quotas = readQuotas(policyDirectory);
  const counter =
    quotaTable && once(() => quotaCounter(traced(new DynamoDBClient(client)), quotaTable, quotas));
  return {
    beginRecord: callRecords(new Logger(), meter),
    tracer,
    registries,
    tokens: { readSecret, verifyOidcToken: tokenVerifier(issuers) },
    authority: {
      policies: loadPolicies(policyDirectory),
      readSecret,
      accounts,
      count: counter ? (...usage) => counter()(...usage) : undefined,
    },
    upstream: {
      ecr: {
        get ecr() {
          return ecr();
        },
        get 'ecr-public'() {
          return ecrPublic();
        },
      },
      staging: (key) => staging()(key),
      readSecret,
    },
  };
}
