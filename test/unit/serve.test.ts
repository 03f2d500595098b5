// The steps without Lambda: what a front that stands in the same process may rely on.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OperationName } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { IncomingCall, RawMembers } from '../../lambda/incoming-call.ts';
import { decide, identify, type ServeServices, serve } from '../../lambda/serve.ts';
import { type BeginRecord, type CallRecord, callRecords } from '../../lambda/telemetry/call-record.ts';
import { openMeter } from '../../lambda/telemetry/meter.ts';
import { loadPolicies } from '../../policy/policies.ts';
import { answered, ecrAnswering, oneAnswer } from '../support/one-answer.ts';
import { policiesOf } from '../support/policy-directory.ts';

const clients = 100;
const nameOf = (n: number) => `client-${n}`;
const tokenOf = (n: number) => `eup_${nameOf(n)}_secret`;
const repositoryOf = (n: number) => `team/app-${n}`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const secret = {
  sealingKey: 'k'.repeat(32),
  clients: Object.fromEntries(
    Array.from({ length: clients }, (_, n) => [nameOf(n), [{ sha256: sha256(tokenOf(n)) }]]),
  ),
};

/** Another time for each: no two calls come to the same place at once, and all are under way together. */
let waits = 0;
function wait() {
  waits += 1;
  return sleep((waits * 7_919) % 23);
}

async function readSecret() {
  await wait();
  return secret;
}

function openEcr() {
  const answer = vi.fn(oneAnswer(wait));
  return { ecr: ecrAnswering(answer), answer };
}

const policies = `
  @id("own") permit (principal is Client, action, resource) when { resource.namespace == "team" };
  @id("soon") @mode("audit") forbid (principal, action == Action::"PutImage", resource);
`;

function open() {
  const { ecr, answer } = openEcr();
  const count = vi.fn(wait);
  const noStaging = async () => {
    throw new Error('the staging area is closed');
  };
  const services: ServeServices = {
    tokens: {
      readSecret,
      verifyOidcToken: async () => {
        throw new ProxyError('UnrecognizedClientException');
      },
    },
    authority: {
      policies: loadPolicies(policiesOf({ 'policies.cedar': policies })),
      readSecret,
      accounts: { own: '123456789012', others: [], aliases: [] },
      count,
    },
    upstream: {
      ecr: { ecr, 'ecr-public': ecr },
      staging: () => ({ head: async () => undefined, get: async () => undefined, put: noStaging }),
      readSecret,
    },
  };
  return { services, answer, count };
}

const silent = (): CallRecord => ({
  serves: () => {},
  add: () => {},
  count: () => {},
  warn: () => {},
  end: () => {},
});

const callOf = <Name extends OperationName>(
  n: number,
  operation: Name,
  members: RawMembers = {},
  more: Partial<Omit<IncomingCall, 'operation'>> = {},
): IncomingCall<Name> => ({
  operation,
  registry: 'ecr',
  headers: { authorization: `Bearer ${tokenOf(n)}` },
  readMembers: async () => {
    await wait();
    return { repositoryName: repositoryOf(n), ...members };
  },
  refusesUnknownMembers: true,
  abortSignal: new AbortController().signal,
  record: silent(),
  ...more,
});

async function begin(n: number, services: ServeServices) {
  const { uploadId } = await serve(callOf(n, 'InitiateLayerUpload'), services);
  return uploadId;
}

const part = (bytes: number) => ({
  partFirstByte: 0,
  partLastByte: bytes - 1,
  layerPartBlob: new Uint8Array(bytes),
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('a hundred calls that are under way at once in one process', () => {
  let beginRecord: BeginRecord;
  const written: { log: string[]; metrics: string[] } = { log: [], metrics: [] };
  beforeEach(() => {
    const env = { DEV: 'true', LOG_LEVEL: 'INFO', METRICS_DISABLED: 'false', SERVICE_NAME: 'test' };
    for (const [name, value] of Object.entries(env)) {
      vi.stubEnv(`POWERTOOLS_${name}`, value);
    }
    vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'test');
    const into = (lines: string[]) => (line: unknown) => void lines.push(String(line));
    vi.spyOn(console, 'log').mockImplementation(into(written.metrics));
    for (const level of ['info', 'warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation(into(written.log));
    }
    for (const lines of Object.values(written)) {
      lines.length = 0;
    }
    beginRecord = callRecords(new Logger(), openMeter());
  });

  type Planned = { operation: OperationName; members: RawMembers; bytes?: number; code?: string };

  /** Of each kind some: parts of as many bytes as nobody else sends, completions that warn, refusals, audits. */
  const plan = async (n: number, services: ServeServices): Promise<Planned> => {
    const bytes = 1_000 + n;
    const layerDigests = [`sha256:${'0'.repeat(64)}`];
    const kinds: (() => Promise<Planned>)[] = [
      async () => ({
        operation: 'UploadLayerPart',
        members: { uploadId: await begin(n, services), ...part(bytes) },
        bytes,
      }),
      async () => ({
        operation: 'CompleteLayerUpload',
        members: { uploadId: await begin(n, services), layerDigests },
      }),
      async () => ({
        operation: 'InitiateLayerUpload',
        members: { repositoryName: `others/app-${n}` },
        code: 'AccessDeniedException',
      }),
      async () => ({
        operation: 'PutImage',
        members: { imageManifest: '' },
        code: 'InvalidParameterException',
      }),
      async () => ({
        operation: 'PutImage',
        members: { imageManifest: JSON.stringify({ schemaVersion: 2, n }) },
        code: 'InvalidParameterException',
      }),
    ];
    const make = kinds[n % kinds.length];
    if (!make) {
      throw new Error('no such kind');
    }
    return make();
  };

  /** As an HTTP server would. */
  const front = async (n: number, planned: Planned, services: ServeServices) => {
    const record = beginRecord({ requestId: `request-${n}`, sourceIp: `192.0.2.${n}` });
    record.serves(planned.operation);
    try {
      await serve(callOf(n, planned.operation, planned.members, { record }), services);
      record.end(200);
    } catch (error) {
      if (!(error instanceof ProxyError)) {
        throw error;
      }
      record.end(400, error);
    }
  };

  it('have each a line and counts of their own, and nothing of each other’s', async () => {
    const { services } = open();
    const all = Array.from({ length: clients }, (_, n) => n);
    const planned = await Promise.all(all.map((n) => plan(n, services)));
    await Promise.all(planned.map((one, n) => front(n, one, services)));

    const log: { message: string; requestId: string }[] = written.log.map((line) => JSON.parse(line));
    for (const [n, { operation, members, code }] of planned.entries()) {
      const lines = log.filter(({ requestId }) => requestId === `request-${n}`);
      const line = lines.find(({ message }) => message === 'request');
      const { repositoryName = repositoryOf(n) } = members;
      const isDecided = code !== 'InvalidParameterException' || members.imageManifest !== '';
      expect(line).toMatchObject({
        sourceIp: `192.0.2.${n}`,
        principal: `Client::${nameOf(n)}`,
        operation,
        ...(code !== undefined && { code }),
        ...(isDecided && { repositoryName }),
      });
      expect(
        JSON.stringify(lines)
          .match(/(?:client|app)-\d+/g)
          ?.every((name) => name.endsWith(`-${n}`)),
      ).toBe(true);
      expect('code' in (line ?? {})).toBe(code !== undefined);
      expect('decision' in (line ?? {})).toBe(isDecided);
      // Only a completion has something to warn of, and it says which it was.
      expect(lines).toHaveLength(operation === 'CompleteLayerUpload' ? 2 : 1);
    }
    expect(log).toHaveLength(
      clients + planned.filter((one) => one.operation === 'CompleteLayerUpload').length,
    );

    const counts = written.metrics
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter((line) => 'Requests' in line)
      .map(({ operation, Requests, Bytes, AuditWouldRefuse }) => ({
        operation,
        Requests,
        Bytes,
        AuditWouldRefuse,
      }));
    const expected = planned.map(({ operation, bytes, members }) => ({
      operation,
      Requests: 1,
      Bytes: bytes,
      AuditWouldRefuse: operation === 'PutImage' && members.imageManifest !== '' ? 1 : undefined,
    }));
    const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).toSorted();
    expect(sorted(counts)).toEqual(sorted(expected));
  });
});

describe('identify', () => {
  it('says who calls, and neither reads a body nor asks anybody else', async () => {
    const { services, answer, count } = open();
    const readMembers = vi.fn();
    const call = callOf(7, 'PutImage', {}, { readMembers });
    expect(await identify(call, services)).toEqual({ type: 'Client', id: nameOf(7) });
    for (const untouched of [readMembers, answer, count]) {
      expect(untouched).not.toHaveBeenCalled();
    }
  });

  it('refuses a token that is nobody’s', async () => {
    const headers = { authorization: 'Bearer eup_client-7_another' };
    const refused = identify(callOf(7, 'PutImage', {}, { headers }), open().services);
    await expect(refused).rejects.toMatchObject({ code: 'UnrecognizedClientException' });
  });
});

describe('decide', () => {
  it('lets through what the policy allows, forwards nothing and charges no quota', async () => {
    const { services, answer, count } = open();
    // Before there is an upload, a front asks whether its parts would be allowed.
    await decide(callOf(1, 'UploadLayerPart', { uploadId: 'none', ...part(1) }), services);
    await decide(callOf(1, 'PutImage', { imageManifest: '{}' }), services);
    for (const untouched of [answer, count]) {
      expect(untouched).not.toHaveBeenCalled();
    }
  });

  it.each<[string, RawMembers, string]>([
    ['what the policy refuses', { repositoryName: 'others/app' }, 'AccessDeniedException'],
    ['what is ill-formed', { partFirstByte: -1 }, 'InvalidParameterException'],
  ])('refuses %s', async (_, members, code) => {
    const { services } = open();
    const call = callOf(1, 'UploadLayerPart', { uploadId: 'none', ...part(1), ...members });
    await expect(decide(call, services)).rejects.toMatchObject({ code });
  });
});

describe('serve', () => {
  it('goes on with no upload that is another’s', async () => {
    const { services, answer } = open();
    const uploadId = await begin(2, services);
    answer.mockClear();
    const call = callOf(1, 'UploadLayerPart', { uploadId, ...part(5) });
    await expect(serve(call, services)).rejects.toMatchObject({ code: 'UploadNotFoundException' });
    expect(answer).not.toHaveBeenCalled();
  });

  const ways = ['direct', undefined] as const;
  const otherThan = { direct: undefined, undefined: 'direct' } as const;
  it.each(ways)('goes on with no upload of a front that sends parts another way than %s', async (sending) => {
    const { services, answer } = open();
    const way = (one: 'direct' | undefined) => (one ? { sending: one } : {});
    const { uploadId } = await serve(callOf(1, 'InitiateLayerUpload', {}, way(sending)), services);
    const other = way(otherThan[`${sending}`]);
    answer.mockClear();
    const layerDigests = [`sha256:${'0'.repeat(64)}`];
    for (const call of [
      callOf(1, 'UploadLayerPart', { uploadId, ...part(5) }, other),
      callOf(1, 'CompleteLayerUpload', { uploadId, layerDigests }, other),
    ]) {
      await expect(serve(call, services)).rejects.toMatchObject({ code: 'UploadNotFoundException' });
    }
    expect(answer).not.toHaveBeenCalled();
    await serve(callOf(1, 'UploadLayerPart', { uploadId, ...part(5) }, way(sending)), services);
    expect(answer).toHaveBeenCalledOnce();
  });

  it.each([
    ['GetDownloadUrlForLayer', { layerDigest: `sha256:${'0'.repeat(64)}` }, { downloadUrl: '' }],
    ['InitiateLayerUpload', {}, { uploadId: '' }],
  ] as const)(
    'fails with ServerException when ECR’s answer to %s lacks a member',
    async (name, members, lack) => {
      const { services, answer } = open();
      answer.mockResolvedValueOnce(Object.assign({}, answered, lack));
      await expect(serve(callOf(1, name, members), services)).rejects.toMatchObject({
        code: 'ServerException',
      });
      expect(answer).toHaveBeenCalledOnce();
    },
  );

  it('asks for the members only once it knows who calls', async () => {
    const readMembers = vi.fn();
    const call = callOf(1, 'PutImage', {}, { headers: {}, readMembers });
    await expect(serve(call, open().services)).rejects.toMatchObject({ code: 'UnrecognizedClientException' });
    expect(readMembers).not.toHaveBeenCalled();
  });

  it('gives ECR the input and the signal of the call, and nothing else', async () => {
    const { services, answer } = open();
    const { signal: abortSignal } = new AbortController();
    const uploadId = await begin(1, services);
    answer.mockClear();
    await serve(callOf(1, 'UploadLayerPart', { uploadId, ...part(5) }, { abortSignal }), services);
    expect(answer.mock.calls.map(([, ...rest]) => rest)).toEqual([[abortSignal]]);
  });

  it('ends a call that is cancelled, and no other', async () => {
    const { services, answer } = open();
    const given = new AbortController();
    const first = serve(callOf(1, 'InitiateLayerUpload', {}, { abortSignal: given.signal }), services);
    const second = serve(callOf(2, 'InitiateLayerUpload'), services);
    given.abort();
    await expect(first).rejects.toMatchObject({ code: 'GatewayTimeoutException' });
    expect(await second).toHaveProperty('uploadId');
    expect(answer).toHaveBeenCalledTimes(1);
  });

  it('throws nothing that is not in the table of errors', async () => {
    const { services, answer } = open();
    answer.mockRejectedValueOnce(new TypeError('a bug'));
    const failure: unknown = await begin(1, services).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProxyError);
    expect(failure).toMatchObject({ code: 'InternalFailure' });
  });
});
