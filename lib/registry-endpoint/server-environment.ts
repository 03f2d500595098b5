// What the registry endpoint's server is told by its environment, beside what every function is.

import type { Registry } from '../../api/registries.ts';
import { configuredRegistries } from '../configuration.ts';
import { type ProxyEnvironmentProps, proxyEnvironment } from '../proxy-environment.ts';
import type { RegistryEndpointConfiguration } from './configuration.ts';
import type { Times } from './times.ts';

/** Where the server listens. Lambda's web functions have this one, and a task may have any. */
export const serverPort = 3_000;

/** Answered without a token and without asking anybody: else one fault of ECR's would take out every task. */
export const healthPath = '/health';

/**
 * All headers of a request together: an Application Load Balancer takes 64 KiB, Node.js by itself 16, of which a
 * token and a chain of client certificates are more. Source: the ELB user guide, "Quotas".
 */
const maxHeaderBytes = 65_536;

/** The registry that `/v2/` stands for. */
export function registryOf(
  { registry }: RegistryEndpointConfiguration,
  repositories: ProxyEnvironmentProps['repositories'],
): Registry {
  return registry ?? configuredRegistries({ repositories })[0] ?? 'ecr';
}

export type ServerLimits = Pick<Times, 'keepAliveSeconds' | 'stallSeconds'> & { maxUploads: number };

const milliseconds = (seconds: number) => String(seconds * 1_000);

export function serverEnvironment(
  endpoint: RegistryEndpointConfiguration,
  proxy: ProxyEnvironmentProps,
  { keepAliveSeconds, stallSeconds, maxUploads }: ServerLimits,
): Record<string, string> {
  const registry = registryOf(endpoint, proxy.repositories);
  return {
    ...proxyEnvironment({ ...proxy, repositories: { [registry]: proxy.repositories[registry] } }),
    NODE_OPTIONS: `--enable-source-maps --max-http-header-size=${maxHeaderBytes}`,
    // Neither host is traced.
    POWERTOOLS_TRACE_ENABLED: 'false',
    PORT: String(serverPort),
    REGISTRY: registry,
    BLOBS: endpoint.blobs,
    MAX_UPLOADS: String(maxUploads),
    MAX_UPLOADS_PER_CLIENT: String(Math.min(endpoint.maxUploadsPerClient, maxUploads)),
    KEEP_ALIVE_MS: milliseconds(keepAliveSeconds),
    STALL_MS: milliseconds(stallSeconds),
  };
}
