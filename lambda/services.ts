// What the corridor reaches beyond its own code, made once per process, and a client of AWS when it is first used.

import { Logger } from '@aws-lambda-powertools/logger';
import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import type { Tracer } from '@aws-lambda-powertools/tracer';
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
import { openSessionTokens } from './identity/session-token.ts';
import { quotaCounter } from './quota/quota-counts.ts';
import { onceMore, type Retries } from './retries.ts';
import type { ServeServices } from './serve.ts';
import { type BeginRecord, callRecords } from './telemetry/call-record.ts';
import { configurationFaults } from './telemetry/configuration-faults.ts';
import { openMeter } from './telemetry/meter.ts';
import { CodeTracer, traced } from './telemetry/traces.ts';
import { privateEcr, publicEcr } from './upload/ecr.ts';
import { s3Staging } from './upload/staging.ts';

export type Services = ServeServices & {
  beginRecord: BeginRecord;
  tracer: Tracer;
  /** The ECR services that the stack is configured for. */
  registries: readonly Registry[];
};

/** A connection that is not there within 2 s counts as failed. */
const requestHandler = { connectionTimeout: 2_000 };

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

/** @param retries of every call to AWS: `onceMore` where the caller can send a request again */
export function openServices(
  environment: Environment = readEnvironment(process.env),
  retries: Retries = onceMore,
): Services {
  const client = { ...retries, requestHandler };
  const tracer = new CodeTracer();
  const { accounts, registries, secretId, stagingBucket, policyDirectory, quotaTable } = environment;
  const { issuers, sessionTokenMinutes } = environment;
  const secrets = new SecretsProvider({ awsSdkV3Client: traced(new SecretsManagerClient(client), tracer) });
  const logger = new Logger();
  const meter = openMeter();
  const report = configurationFaults(logger, meter);
  const readSecret = secretReader(() => secrets.get(secretId, { forceFetch: true }), report);
  const { measure } = meter;
  const ecr = once(() => privateEcr(traced(new ECRClient(client), tracer), measure));
  const ecrPublic = once(() =>
    publicEcr(traced(new ECRPUBLICClient({ ...client, region: ecrPublicRegion }), tracer), measure),
  );
  const staging = once(() => s3Staging(traced(new S3Client(client), tracer), stagingBucket, measure));
  const quotas = readQuotas(policyDirectory);
  const counter =
    quotaTable && once(() => quotaCounter(traced(new DynamoDBClient(client), tracer), quotaTable, quotas));
  return {
    beginRecord: callRecords(logger, meter),
    tracer,
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
