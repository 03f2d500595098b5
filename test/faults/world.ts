// All that a front is tried in: the services, the clock, tokens of each kind, and instances of the proxy's code.

import { vi } from 'vitest';
import type { Environment } from '../../lambda/environment.ts';
import type { FunctionServices } from '../../lambda/function-services.ts';
import type { Retries } from '../../lambda/retries.ts';
import type { ServeServices } from '../../lambda/serve.ts';
import { openServices, type ServicesOptions } from '../../lambda/services.ts';
import { CodeTracer } from '../../lambda/telemetry/traces.ts';
import { localAccount } from '../../local/account.ts';
import { functionEnvironment } from '../../local/lambda/environment.ts';
import { signToken } from '../support/issuer.ts';
import { policiesBeside } from '../support/policy-directory.ts';
import { tokens } from '../support/resource-api.ts';
import { issuerKey } from './aws-state.ts';
import { openClock } from './clock.ts';
import { startCloud } from './cloud.ts';
import { registryAlias } from './layer.ts';

/** The quota is counted and never full. */
const policyDirectory = () =>
  policiesBeside({
    'quotas.yaml': '- { name: each, client: "*", bytesPerDay: 1000000, imagesPerDay: 1000 }',
    'workloads.cedar': `@id("workloads") permit (principal is Workload, action in [Action::"push", Action::"read"], resource)
      when { resource.name like "team-a/*" };`,
  });

const tokenMinutes = 10;

/** @param prepare is applied to each client of the SDK */
export async function openWorld({ prepare = (client) => client }: Pick<ServicesOptions, 'prepare'> = {}) {
  // Chance decides over pauses alone: none is waited for.
  vi.spyOn(Math, 'random').mockReturnValue(0);
  const clock = openClock();
  const cloud = await startCloud(clock);
  const { url } = cloud;
  Object.assign(
    process.env,
    functionEnvironment({ ecr: url, s3: url, secretsManager: url, dynamoDb: url }, 'stand-in', process.env),
    {
      AWS_REGION: localAccount.region,
      POWERTOOLS_SERVICE_NAME: 'test',
      POWERTOOLS_METRICS_NAMESPACE: 'test',
      POWERTOOLS_METRICS_DISABLED: 'true',
      POWERTOOLS_LOG_LEVEL: 'SILENT',
    },
  );
  const environment: Environment = {
    stagingBucket: 'staging',
    secretId: 'the-secret',
    policyDirectory: policyDirectory(),
    accounts: { own: localAccount.accountId, others: [], aliases: [registryAlias] },
    registries: ['ecr', 'ecr-public'],
    issuers: [{ issuer: url, audience: ['ecr-upload-proxy'], audienceClaim: 'aud' }],
    quotaTable: 'quotas',
    sessionTokenMinutes: 60,
  };
  const tracer = new CodeTracer();
  let issuing: ServeServices | undefined;

  return {
    clock,
    cloud,
    /** Another instance: it has read nothing yet. */
    openInstance: (retries?: Retries): FunctionServices => ({
      ...openServices(environment, {
        ...(retries && { retries }),
        prepare: (client) => prepare(cloud.withoutWire(client)),
      }),
      tracer,
    }),
    clientToken: tokens.a,
    /** Signed now, by the issuer's clock, which is right. */
    oidcToken: (): string => {
      const now = clock.now() / 1_000;
      return signToken(issuerKey, {
        iss: url,
        sub: 'repo:team-a/app',
        aud: 'ecr-upload-proxy',
        iat: now,
        nbf: now,
        exp: now + tokenMinutes * 60,
      });
    },
    sessionToken: async (): Promise<string> => {
      issuing ??= openServices(environment);
      const created = await issuing.tokens.sessionTokens?.create(tokens.a, {
        type: 'Client',
        id: 'team-a-ci',
      });
      return created?.sessionToken ?? '';
    },
    close: () => cloud.close(),
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;
