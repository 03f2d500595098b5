// The whole proxy on one machine: the synthesized template, with stand-ins for ECR, S3 and Secrets Manager.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, localAccount } from './account.ts';
import { lockDirectory } from './data-lock.ts';
import { startEcr } from './ecr/server.ts';
import type { RepositoryListing } from './ecr/store.ts';
import { startGateway } from './gateway/gateway.ts';
import { functionEnvironment } from './lambda/environment.ts';
import { startFunctions } from './lambda/functions.ts';
import { keepRegistry } from './registry/service.ts';
import { startDynamoDb } from './services/dynamodb.ts';
import { startS3 } from './services/s3.ts';
import { startSecrets } from './services/secrets.ts';
import { type Assembly, synthesize } from './template/synthesize.ts';
import { readTemplate } from './template/template.ts';

export type LocalOptions = {
  /** Ports: 0 takes any free one. */
  port: number;
  ecrPort: number;
  s3Port: number;
  /** Without it there is no registry endpoint. */
  registryPort?: number;
  /** Kept from run to run: layers, staged parts, the secret, and functions.log. */
  dataDirectory: string;
  /** Another ECR than the stand-in, which then does not start. */
  ecrEndpoint?: string;
  /** `aws`: ECR itself, with the credentials in the environment. */
  upstream?: 'stand-in' | 'aws';
  account?: Account;
  /** A cloud assembly that is there already; by default the project is synthesized. */
  cdkOut?: string;
  /** Whose OIDC tokens are taken, instead of those that the template names. */
  issuers?: readonly object[];
  /** Takes one line for each request, and for each end of the registry endpoint. */
  log?: (line: string) => void;
};

export type Local = {
  proxyUrl: string;
  /** `undefined` where it is AWS's. */
  ecrUrl: string | undefined;
  s3Url: string;
  registryUrl: string | undefined;
  /** The registry endpoint is a process of its own, and another one after that has ended. */
  registryProcessId: () => number | undefined;
  logFile: string;
  close(): Promise<void>;
};

const repositoryNames = ['team-a/app', 'team-a/big', 'team-b/app', 'shared/base'];

/** The same in both registries, and one whose tags cannot be moved, which public ECR does not have. */
export const localRepositories: readonly RepositoryListing[] = [
  ...(['ecr', 'ecr-public'] as const).flatMap((registry) =>
    repositoryNames.map((repositoryName) => ({ registry, repositoryName })),
  ),
  { registry: 'ecr', repositoryName: 'team-a/immutable', imageTagMutability: 'IMMUTABLE' },
];

/** In front of AWS stand the registries that cdk.json names; the stand-in serves both, whatever it names. */
export const assemblies = {
  'stand-in': { cdkOut: '.local/cdk.out', repositories: { 'ecr-public': repositoryNames } },
  aws: { cdkOut: '.local/aws/cdk.out', repositories: {} },
} as const satisfies Record<string, Assembly>;

/** @throws the plain EADDRINUSE error for a port in use; Error for a directory that is; whatever had started by then is ended first */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const { dataDirectory, upstream = 'stand-in', account = localAccount, log = () => {} } = options;
  const template = readTemplate(options.cdkOut ?? (await synthesize(assemblies[upstream])), account);
  const [secretArn, ...otherSecrets] = template.secretArns;
  if (!secretArn || otherSecrets.length > 0) {
    throw new Error('the template has not exactly one secret');
  }
  mkdirSync(dataDirectory, { recursive: true });
  const logFile = join(dataDirectory, 'functions.log');

  const started: { close(): Promise<void> }[] = [lockDirectory(dataDirectory)];
  const close = async () => {
    for (const server of started.splice(0).reverse()) {
      await server.close();
    }
  };
  const keep = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    started.push(server);
    return server;
  };

  const startUpstream = async (): Promise<string | undefined> => {
    if (options.ecrEndpoint || upstream === 'aws') {
      return options.ecrEndpoint;
    }
    const ecr = await keep(
      startEcr({
        port: options.ecrPort,
        dataDirectory: join(dataDirectory, 'ecr'),
        accountId: account.accountId,
        repositories: localRepositories,
      }),
    );
    return ecr.url;
  };

  const startEndpoint = async (environment: Readonly<Record<string, string>>) => {
    const { registryPort: port } = options;
    const [container] = template.containers;
    if (port === undefined || container === undefined) {
      return undefined;
    }
    const logFile = join(dataDirectory, 'registry.log');
    const regional = { ...environment, AWS_REGION: account.region };
    return keep(keepRegistry({ port, container, environment: regional, logFile }, log));
  };

  const startTables = async (): Promise<string | undefined> => {
    const { tableNames } = template;
    return tableNames.length > 0 ? (await keep(startDynamoDb({ tableNames }))).url : undefined;
  };

  try {
    const ecrUrl = await startUpstream();
    const { bucketNames } = template;
    const s3 = await keep(
      startS3({ port: options.s3Port, dataDirectory: join(dataDirectory, 's3'), bucketNames }),
    );
    const secrets = await keep(
      startSecrets({ port: 0, file: join(dataDirectory, 'secret.json'), secretArn }),
    );
    const environment = {
      ...functionEnvironment(
        { ecr: ecrUrl, s3: s3.url, secretsManager: secrets.url, dynamoDb: await startTables() },
        upstream,
        process.env,
      ),
      ...(options.issuers && { ISSUERS: JSON.stringify(options.issuers) }),
    };
    const functions = startFunctions({ functions: template.functions, account, environment, logFile });
    started.push(functions);
    const { invoke } = functions;
    const gateway = await keep(startGateway({ template, account, invoke, port: options.port, log }));
    const registry = await startEndpoint(environment);
    return {
      proxyUrl: gateway.url,
      ecrUrl,
      s3Url: s3.url,
      registryUrl: registry?.url,
      registryProcessId: () => registry?.processId(),
      logFile,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
