// What the steps need besides their own code: made once per process, and each AWS client when it is first used.

import { Logger } from '@aws-lambda-powertools/logger';
import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { secretTimeoutMs } from '../api/limits.ts';
import type { Registry } from '../api/registries.ts';
import { loadPolicies } from '../policy/policies.ts';
import { readQuotas } from '../policy/quota-file.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { tokenVerifier } from './identity/oidc-token.ts';
import { secretReader } from './identity/secret.ts';
import { openSessionTokens } from './identity/session-token.ts';
import { quotaCounter } from './quota/quota-counts.ts';
import { onceMore, type Retries } from './retries.ts';
import type { ServeServices } from './serve.ts';
import { type BeginRecord, callRecords } from './telemetry/call-record.ts';
import { configurationFaults } from './telemetry/configuration-faults.ts';
import { openMeter } from './telemetry/meter.ts';
import type { SdkClient } from './telemetry/traces.ts';
import { privateEcr, publicEcr } from './upload/ecr.ts';
import { s3Staging } from './upload/staging.ts';

export type Services = ServeServices & {
  beginRecord: BeginRecord;
  /** The ECR services that the stack is configured for. */
  registries: readonly Registry[];
};

/** A connection that is not established within 2 s has failed. */
const requestHandler = { connectionTimeout: 2_000 };

/** No request's time ends a read of the secret, as it is not one request's. */
const secretRequestHandler = () => ({
  ...requestHandler,
  requestTimeout: secretTimeoutMs,
  throwOnRequestTimeout: true,
});

/** ECR Public's API is in us-east-1 (and us-west-2) only. Source: ECR Public endpoints and quotas. */
const ecrPublicRegion = 'us-east-1';

/** All functions have the same code; each opens only what its own operations use. */
function once<Service>(open: () => Service): () => Service {
  let opened: { readonly service: Service } | undefined;
  return () => {
    opened ??= { service: open() };
    return opened.service;
  };
}

export type ServicesOptions = {
  /** For every call to AWS: `onceMore` where the caller can send a request again. */
  readonly retries?: Retries;
  /** Applied to each client of the SDK, for example to trace its calls. */
  readonly prepare?: <Client extends SdkClient>(client: Client) => Client;
};

export function openServices(
  environment: Environment = readEnvironment(process.env),
  { retries = onceMore, prepare = (client) => client }: ServicesOptions = {},
): Services {
  const client = { ...retries, requestHandler };
  const { accounts, registries, secretId, stagingBucket, policyDirectory, quotaTable } = environment;
  const { issuers, sessionTokenMinutes } = environment;
  const secrets = new SecretsProvider({
    awsSdkV3Client: prepare(new SecretsManagerClient({ ...client, requestHandler: secretRequestHandler() })),
  });
  const logger = new Logger();
  const meter = openMeter();
  const report = configurationFaults(logger, meter);
  const readSecret = secretReader(() => secrets.get(secretId, { forceFetch: true }), report);
  const { measure } = meter;
  const ecr = once(() => privateEcr(prepare(new ECRClient(client)), measure));
  const ecrPublic = once(() =>
    publicEcr(prepare(new ECRPUBLICClient({ ...client, region: ecrPublicRegion })), measure),
  );
  const staging = once(() => {
    if (stagingBucket === undefined) {
      throw new Error('STAGING_BUCKET is not set');
    }
    return s3Staging(prepare(new S3Client(client)), stagingBucket, measure);
  });
  const quotas = readQuotas(policyDirectory);
  const counter =
    quotaTable && once(() => quotaCounter(prepare(new DynamoDBClient(client)), quotaTable, quotas));
  return {
    beginRecord: callRecords(logger, meter),
    registries,
    tokens: {
      readSecret,
      verifyOidcToken: tokenVerifier(issuers, report),
      sessionTokens:
        sessionTokenMinutes === undefined
          ? undefined
          : openSessionTokens({ maxMinutes: sessionTokenMinutes, issuers, readSecret }),
    },
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
