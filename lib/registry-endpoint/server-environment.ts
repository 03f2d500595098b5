// The environment of the registry endpoint's server, besides that of every function.

import type { Registry } from '../../api/registries.ts';
import { configuredRegistries } from '../configuration/configuration.ts';
import { type ProxyEnvironmentProps, proxyEnvironment } from '../functions/proxy-environment.ts';
import type { RegistryEndpointConfiguration } from './configuration.ts';
import type { ServerTimes } from './times.ts';

/** Where the server listens. Lambda's web functions have this one, and a task may have any. */
export const serverPort = 3_000;

/** Answered without a token and without asking anybody: else one fault of ECR's would take out every task. */
export const healthPath = '/healthz';

/**
 * All headers of a request together: an Application Load Balancer takes 64 KiB, Node.js by itself 16, of which a
 * token and a chain of client certificates are more. Source: the ELB user guide, "Quotas".
 */
const maxHeaderBytes = 65_536;

/**
 * V8's room for young objects, in MiB, a quarter of the usual. The chunks of bodies are outside of it, and are given
 * back when it is collected: a first push takes half as much memory as with the usual size, and no more CPU time.
 */
const semiSpaceMebibytes = 4;

const nodeOptions = [
  '--enable-source-maps',
  `--max-http-header-size=${maxHeaderBytes}`,
  `--max-semi-space-size=${semiSpaceMebibytes}`,
];

/** The registry that `/v2/` stands for. */
export function registryOf(
  { registry }: RegistryEndpointConfiguration,
  repositories: ProxyEnvironmentProps['repositories'],
): Registry {
  return registry ?? configuredRegistries({ repositories })[0] ?? 'ecr';
}

export type ServerLimits = ServerTimes & { maxUploads: number };

/** `registry/hosted/environment.ts` reads it. */
export function serverEnvironment(
  endpoint: RegistryEndpointConfiguration,
  proxy: Omit<ProxyEnvironmentProps, 'stagingBucket'>,
  { keepAliveSeconds, stallSeconds, serverStopSeconds, maxUploads }: ServerLimits,
): Record<string, string> {
  const registry = registryOf(endpoint, proxy.repositories);
  const repositories = { [registry]: proxy.repositories[registry] };
  return {
    ...proxyEnvironment({ ...proxy, repositories, stagingBucket: undefined }),
    NODE_OPTIONS: nodeOptions.join(' '),
    PORT: String(serverPort),
    HEALTH_PATH: healthPath,
    REGISTRY: registry,
    BLOBS: endpoint.blobs,
    MAX_UPLOADS: String(maxUploads),
    MAX_UPLOADS_PER_CLIENT: String(Math.min(endpoint.maxUploadsPerClient, maxUploads)),
    IDLE_SECONDS: String(stallSeconds),
    KEEP_ALIVE_SECONDS: String(keepAliveSeconds),
    STOP_SECONDS: String(serverStopSeconds),
    // Both hosts append the address that they see.
    BEHIND_LOAD_BALANCER: 'true',
  };
}
