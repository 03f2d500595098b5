// The handlers in this process, over the stand-ins: the fastest transport, and the one whose log can be read.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Issuer } from '../../api/issuers.ts';
import { type OperationName, operationNames, operations } from '../../api/operations.ts';
import { type Accounts, isRegistry } from '../../api/registries.ts';
import { maxSessionMinutes } from '../../api/session-tokens.ts';
import type { Environment } from '../../lambda/environment.ts';
import { type FunctionServices, openFunctionServices } from '../../lambda/function-services.ts';
import { type Handler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { policySource } from '../../lib/policies.ts';
import { localAccount } from '../../local/account.ts';
import { startEcr } from '../../local/ecr/server.ts';
import { functionEnvironment } from '../../local/lambda/environment.ts';
import { localRepositories } from '../../local/local.ts';
import { startDynamoDb } from '../../local/services/dynamodb.ts';
import { startS3 } from '../../local/services/s3.ts';
import { startSecrets } from '../../local/services/secrets.ts';
import { faultsOf } from './faults.ts';
import { conform } from './openapi.ts';
import { lambdaContext, proxyEvent } from './proxy-event.ts';
import type { Send } from './resource-api.ts';

const secretArn = `arn:aws:secretsmanager:${localAccount.region}:${localAccount.accountId}:secret:test`;
const stagingBucket = 'staging';

type Options = {
  /** Whose OIDC tokens are taken. */
  issuers?: readonly Issuer[];
  /** Where quotas are counted. */
  quotaTable?: string;
  /** Whether metrics are written, to standard output. */
  metrics?: boolean;
  /** By default the policies that deploy. */
  policyDirectory?: string;
  /** Whose registries may be named, besides the own account's. */
  accounts?: Partial<Accounts>;
  /** Puts something between the functions and a stand-in, and gives its address. */
  between?: (standIn: StandIn, url: string) => Promise<string>;
};

export type StandIn = 'ecr' | 's3' | 'secretsManager' | 'dynamoDb';

const routeOf = (operation: OperationName) =>
  new RegExp(`^/(?<registry>[^/]+)${operations[operation].path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);

function findRoute(method: string | undefined, pathname: string) {
  for (const operation of operationNames) {
    const match = operations[operation].method === method && routeOf(operation).exec(pathname);
    const { registry, ...path } = match ? { ...match.groups } : {};
    if (isRegistry(registry)) {
      return { operation, registry, path };
    }
  }
  throw new Error(`no route ${method} ${pathname}`);
}

const queryOf = ({ searchParams }: URL): Record<string, string[]> =>
  Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]));

function bodyOf({ body }: RequestInit) {
  if (body instanceof Uint8Array) {
    return { bytes: body };
  }
  return typeof body === 'string' ? { text: body } : {};
}

export const sendTo =
  (handlers: ReadonlyMap<OperationName, Handler>, timeoutMs?: number): Send =>
  async (path, init) => {
    const url = new URL(path, 'http://in-process');
    const route = findRoute(init.method, url.pathname);
    const request = {
      headers: Object.fromEntries(new Headers(init.headers)),
      path: Object.fromEntries(
        Object.entries(route.path).map(([name, text]) => [name, decodeURIComponent(text)]),
      ),
      query: queryOf(url),
      ...bodyOf(init),
    };
    const event = proxyEvent(route.operation, request, route.registry);
    const result = await handlers.get(route.operation)?.(event, lambdaContext(timeoutMs));
    if (!result) {
      throw new Error(`no handler of ${route.operation}`);
    }
    const headers = Object.entries(result.headers ?? {}).map(([name, value]): [string, string] => [
      name,
      `${value}`,
    ]);
    const { statusCode: status, body } = result;
    if (status >= 400) {
      conform(
        { method: init.method ?? '', path },
        { status, headers: new Headers(headers), body: JSON.parse(body) },
      );
    }
    return new Response(body, { status, headers });
  };

export const handlersOf = (services: FunctionServices) =>
  new Map(operationNames.map((operation) => [operation, resourceHandler(operation, services)]));

/** Everything but API Gateway: handlers, stand-ins and a staging area of their own. Each refusal is held against openapi.json. */
export async function startInProcess({
  issuers = [],
  policyDirectory = policySource,
  metrics = false,
  quotaTable,
  accounts,
  between = async (_standIn, url) => url,
}: Options = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'in-process-'));
  const ecr = await startEcr({
    port: 0,
    dataDirectory: join(directory, 'ecr'),
    repositories: localRepositories,
  });
  const s3 = await startS3({ port: 0, dataDirectory: join(directory, 's3'), bucketNames: [stagingBucket] });
  const secretFile = join(directory, 'secret.json');
  const secrets = await startSecrets({ port: 0, file: secretFile, secretArn });
  const dynamoDb = quotaTable === undefined ? undefined : await startDynamoDb({ tableNames: [quotaTable] });
  Object.assign(
    process.env,
    functionEnvironment(
      {
        ecr: await between('ecr', ecr.url),
        s3: await between('s3', s3.url),
        secretsManager: await between('secretsManager', secrets.url),
        dynamoDb: dynamoDb && (await between('dynamoDb', dynamoDb.url)),
      },
      'stand-in',
      process.env,
    ),
    {
      AWS_REGION: localAccount.region,
      POWERTOOLS_SERVICE_NAME: 'test',
      POWERTOOLS_METRICS_NAMESPACE: 'test',
      POWERTOOLS_METRICS_DISABLED: String(!metrics),
    },
  );
  const environment: Environment = {
    stagingBucket,
    secretId: secretArn,
    policyDirectory,
    accounts: { own: localAccount.accountId, others: [], aliases: [], ...accounts },
    registries: ['ecr', 'ecr-public'],
    issuers: [...issuers],
    quotaTable,
    sessionTokenMinutes: maxSessionMinutes,
  };
  const services = openFunctionServices(environment);
  const handlers = handlersOf(services);
  return {
    send: sendTo(handlers),
    /** To an instance of the functions that has read nothing yet, not even the secret. */
    sendToAnother: () => sendTo(handlersOf(openFunctionServices(environment))),
    /** @param timeoutMs what `getRemainingTimeInMillis` begins with */
    sendWithin: (timeoutMs: number) => sendTo(handlers, timeoutMs),
    ecrUrl: ecr.url,
    ...faultsOf(ecr.url),
    s3,
    secrets: { url: secrets.url, file: secretFile, secretArn },
    services,
    /** What another process opens the same services with; it inherits the variables. */
    environment,
    close: async () => {
      for (const server of [secrets, s3, ecr, dynamoDb]) {
        await server?.close();
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type InProcess = Awaited<ReturnType<typeof startInProcess>>;
