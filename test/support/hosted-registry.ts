// The hosted registry's port in this process, over the stand-ins: uploads without HTTP, and what their log says.

import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { Registry } from '../../api/registries.ts';
import type { BeginRecord } from '../../lambda/telemetry/call-record.ts';
import { Unanswered } from '../../registry/hosted/answer-time.ts';
import { type Patience, patience } from '../../registry/hosted/calls.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { maxSends } from '../../registry/hosted/part-sender.ts';
import type { BlobMode } from '../../registry/hosted/read-blobs.ts';
import { maxManifestReads } from '../../registry/hosted/read-images.ts';
import { hostedRegistry } from '../../registry/hosted/registry.ts';
import { RequestRecords } from '../../registry/hosted/request-records.ts';
import { type HostedServerOptions, startHostedServer } from '../../registry/hosted/server.ts';
import type { Caller, IncomingBytes } from '../../registry/port.ts';
import type { InProcess } from './in-process.ts';
import { tokens } from './resource-api.ts';

type Overrides = {
  registry?: Registry;
  patience?: Partial<Patience>;
  answerMs?: number;
  blobMode?: BlobMode;
  beginRecord?: BeginRecord;
};

/** Another instance each: they share nothing but the stand-ins and the secret. */
export function hostedInstance({ services }: Pick<InProcess, 'services'>, overrides: Overrides = {}) {
  const records = new RequestRecords(overrides.beginRecord ?? services.beginRecord);
  const unanswered = new Unanswered();
  const open = hostedRegistry({
    services,
    registry: overrides.registry ?? 'ecr',
    records,
    buffers: new PartBuffers(),
    sends: pLimit(maxSends),
    manifestReads: pLimit(maxManifestReads),
    unanswered,
    patience: { ...patience, pauseMs: () => 20, ...overrides.patience },
    answerMs: overrides.answerMs ?? 10_000,
    blobMode: overrides.blobMode ?? 'redirect',
  });
  return { open, records, unanswered };
}

export const callerOf = (token: string | undefined = tokens.a, more: Partial<Caller> = {}): Caller => ({
  token,
  sourceIp: '192.0.2.1',
  userAgent: undefined,
  requestId: randomUUID(),
  abortSignal: new AbortController().signal,
  warn: () => {},
  ...more,
});

async function* chunked(bytes: Uint8Array, brokenAfter: number) {
  for (let at = 0; at < Math.min(bytes.length, brokenAfter); at += 65_536) {
    yield bytes.subarray(at, Math.min(at + 65_536, brokenAfter));
  }
  if (brokenAfter < bytes.length) {
    throw new Error('the client has gone away');
  }
}

/** A body as docker sends it, without its length. */
export const bodyOf = (
  bytes: Uint8Array,
  { brokenAfter = bytes.length, ...more }: Partial<IncomingBytes> & { brokenAfter?: number } = {},
): IncomingBytes => ({
  first: undefined,
  length: undefined,
  chunks: chunked(bytes, brokenAfter),
  ...more,
});

export const noBody: IncomingBytes = bodyOf(new Uint8Array(), { length: 0 });

/** The whole server, as a container runs it, on a free port. */
export const startHosted = (
  { services }: Pick<InProcess, 'services'>,
  overrides: Partial<HostedServerOptions> = {},
) =>
  startHostedServer({
    services,
    host: '127.0.0.1',
    port: 0,
    registry: 'ecr',
    healthPath: '/healthz',
    blobMode: 'redirect',
    bounds: { uploads: 24, uploadsPerClient: 16, idleMs: 10_000, keepAliveMs: 5_000 },
    behindLoadBalancer: false,
    agentUri: undefined,
    ...overrides,
  });
