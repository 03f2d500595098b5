// The hosted registry as a server: the OCI front over the port that walks the five steps in this process.

import type { IncomingMessage } from 'node:http';
import pLimit from 'p-limit';
import type { Services } from '../../lambda/services.ts';
import { healthRoute } from '../front/other-routes.ts';
import { type RegistryServer, startRegistryServer } from '../front/server.ts';
import { answerMs, Unanswered } from './answer-time.ts';
import { patience } from './calls.ts';
import type { HostedEnvironment } from './environment.ts';
import { PartBuffers } from './part-buffers.ts';
import { maxSends } from './part-sender.ts';
import { maxManifestReads } from './read-images.ts';
import { hostedRegistry } from './registry.ts';
import { RequestRecords } from './request-records.ts';
import { sessionTokenRoutes } from './session-tokens.ts';
import { protectTask } from './task-protection.ts';
import { meterUploads } from './uploads-metric.ts';

export type HostedServerOptions = Omit<HostedEnvironment, 'stopMs'> & {
  readonly services: Services;
};

/** An Application Load Balancer appends the address that it saw: the addresses before it may have been written by anybody. */
function forwardedFor({ headers, socket }: IncomingMessage): string | undefined {
  const [last] = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',').slice(-1);
  return last?.trim() || socket.remoteAddress;
}

/** @throws the plain `EADDRINUSE` error when the port is taken */
export async function startHostedServer(options: HostedServerOptions): Promise<RegistryServer> {
  const { services, registry, blobMode, healthPath, bounds, host, port, agentUri } = options;
  const records = new RequestRecords(services.beginRecord);
  const unanswered = new Unanswered();
  const open = hostedRegistry({
    services,
    registry,
    records,
    buffers: new PartBuffers(),
    sends: pLimit(maxSends),
    manifestReads: pLimit(maxManifestReads),
    unanswered,
    patience,
    answerMs,
    blobMode,
  });
  const server = await startRegistryServer({
    address: { host, port },
    open,
    registry,
    otherRoutes: [healthRoute(healthPath), ...sessionTokenRoutes(services, records)],
    bounds,
    ...(options.behindLoadBalancer && { sourceIpOf: forwardedFor }),
    onServed: (served) => {
      if (served.path !== healthPath) {
        records.end(served);
      }
    },
  });
  const { uploadsUnderWay } = server;
  const stopMetering = meterUploads(uploadsUnderWay);
  const letGo =
    agentUri === undefined
      ? undefined
      : protectTask({
          agentUri,
          isBusy: () => uploadsUnderWay() > 0,
          warn: (failure) => records.warn('the protection of this task could not be set', failure),
        });
  return {
    url: server.url,
    uploadsUnderWay,
    close: async (withinMs) => {
      await server.close(withinMs);
      await unanswered.ended();
      stopMetering();
      await letGo?.();
    },
  };
}
