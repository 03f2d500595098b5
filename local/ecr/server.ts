// The strict local stand-in for Amazon ECR, private and public: one server, one directory of data.

import { type FastifyError, fastify } from 'fastify';
import { z } from 'zod';
import { serveControl } from './control.ts';
import { serveDistribution } from './distribution.ts';
import { serveDownloads } from './download-route.ts';
import { EcrError } from './errors.ts';
import { Faults } from './faults.ts';
import { initiateInput } from './inputs.ts';
import { maxRequestBytes } from './limits.ts';
import { RequestCounts } from './request-counts.ts';
import { type RepositoryListing, Store } from './store.ts';
import { refuse, serveWire } from './wire.ts';

export type EcrOptions = {
  /** Default 127.0.0.1. */
  host?: string;
  /** 0 takes any free one. */
  port: number;
  /** Kept from run to run, uploads under way included; one process at a time. */
  dataDirectory: string;
  /** Default 123456789012. */
  accountId?: string;
  /** Default `a1b2c3d4`: an alias in the form of those that ECR Public gives out. */
  publicAlias?: string;
  /** Created where absent. Public repositories have no tag immutability. */
  repositories: readonly RepositoryListing[];
};

/**
 * Starts the stand-in. It keeps ECR's rules as far as they are known, and refuses what it does not model.
 * @throws the plain `EADDRINUSE` error when the port is taken; Error when the options or the data make no sense
 */
export async function startEcr(
  options: EcrOptions,
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const { host = '127.0.0.1', accountId = '123456789012', publicAlias = 'a1b2c3d4' } = options;
  assertOptions({ ...options, accountId, publicAlias });
  const store = new Store(options.dataDirectory, accountId, publicAlias);
  const loaded = Promise.withResolvers<void>();
  const app = buildServer(store, loaded.promise);
  // The port comes first: a process that does not get it must not touch data that another process may be writing.
  await app.listen({ host, port: options.port });
  try {
    await store.load(options.repositories);
    loaded.resolve();
  } catch (error) {
    await app.close();
    throw error;
  }
  const close = async () => {
    await app.close();
    await store.close();
  };
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : options.port;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  store.downloads.listenAt(url);
  return { url, port, close };
}

function buildServer(store: Store, loaded: Promise<void>) {
  const app = fastify({ bodyLimit: maxRequestBytes, forceCloseConnections: true, exposeHeadRoutes: false });
  const faults = new Faults();
  const counts = new RequestCounts();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body);
  app.addHook('onRequest', async () => loaded);
  app.setErrorHandler<FastifyError>((error, _request, reply) => refuse(reply, asEcrError(error)));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ message: 'This stand-in serves POST /, /v2/, /_faults and /_requests' }),
  );
  serveWire(app, store, faults, counts);
  serveDistribution(app, store);
  serveDownloads(app, store);
  serveControl(app, faults, counts);
  return app;
}

/** What fastify finds wrong with a request before any handler sees it. */
function asEcrError(error: FastifyError): Error {
  if (error.statusCode === 413) {
    return new EcrError(
      'RequestEntityTooLargeException',
      `A request may have at most ${maxRequestBytes} bytes`,
    );
  }
  return (error.statusCode ?? 500) < 500 ? new EcrError('SerializationException', error.message) : error;
}

/** @throws {Error} naming what ECR could not have: a malformed id or name, or two repositories under one path */
function assertOptions(options: EcrOptions & { accountId: string; publicAlias: string }): void {
  const { accountId, publicAlias, repositories } = options;
  const ids = z.object({
    accountId: z.string().regex(/^[0-9]{12}$/),
    publicAlias: z
      .string()
      .regex(/^[a-z][a-z0-9]+(?:[._-][a-z0-9]+)*$/)
      .max(50),
  });
  const checked = ids.safeParse({ accountId, publicAlias });
  if (!checked.success) {
    throw new Error(z.prettifyError(checked.error));
  }
  for (const { registry, repositoryName, imageTagMutability } of repositories) {
    const named = initiateInput(registry).safeParse({ repositoryName });
    if (!named.success) {
      throw new Error(`${repositoryName}: ${z.prettifyError(named.error)}`);
    }
    if (registry === 'ecr-public' && imageTagMutability === 'IMMUTABLE') {
      throw new Error(`${repositoryName}: a public repository has no immutable tags`);
    }
    if (registry === 'ecr' && repositoryName.startsWith(`${publicAlias}/`)) {
      throw new Error(`${repositoryName}: below /v2/${publicAlias}/ are the public repositories`);
    }
  }
  const keys = repositories.map(({ registry, repositoryName }) => `${registry} ${repositoryName}`);
  const twice = keys.find((key, position) => keys.indexOf(key) !== position);
  if (twice) {
    throw new Error(`${twice} is listed twice`);
  }
}
