// What the dearest requests cost a warm instance, through the real handlers of both APIs, and what they leave behind.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxErrorBytes, maxEventBytes, maxLogLineBytes } from '../../api/limits.ts';
import { type OperationName, operationNames, operations } from '../../api/operations.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { startMeasured } from '../support/measured.ts';
import type { Measured } from '../support/measured-instance.ts';
import { awsEvent, type EventRequest, proxyEvent } from '../support/proxy-event.ts';
import { resourceApi, tokens } from '../support/resource-api.ts';
import { worstRequests } from '../support/worst-bodies.ts';

const maxCpuMs = 300;
const maxMemoryMiB = 300;
/** A neighbour on the machine can make a try dear, and never makes one cheap. */
const tries = 6;
/** What a line of the log has beside the request's own members: Powertools' keys, status and duration. */
const lineEnvelopeBytes = 1_000;

let proxy: InProcess;
let instance: ReturnType<typeof startMeasured>;
let uploadId: string;

const apis = {
  'the resource API': (operation: OperationName, { headers, ...request }: EventRequest) => ({
    functionName: operation,
    event: JSON.stringify(
      proxyEvent(operation, {
        ...request,
        headers: { authorization: `Bearer ${tokens.a}`, ...headers },
        path: operations[operation].path.includes('{uploadId}') ? { uploadId } : {},
      }),
    ),
  }),
  'the AWS API': (operation: OperationName, { headers, ...request }: EventRequest) => ({
    functionName: 'aws-api',
    event: JSON.stringify(
      awsEvent(operation, { ...request, headers: { 'x-amz-security-token': tokens.a, ...headers } }),
    ),
  }),
};
type ApiName = keyof typeof apis;

beforeAll(async () => {
  // What is measured logs all the same.
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  proxy = await startInProcess();
  uploadId = await resourceApi(proxy.send).begin();
  instance = startMeasured(proxy);
  const small = { text: '{"repositoryName":"team-a/app","imageManifest":"{}","layerDigests":["a"]}' };
  for (const requestTo of Object.values(apis)) {
    for (const operation of operationNames) {
      const { functionName, event } = requestTo(operation, small);
      for (let time = 0; time < 10; time++) {
        await instance.invoke(functionName, event);
      }
    }
  }
});
afterAll(async () => {
  await instance?.close();
  await proxy?.close();
  vi.unstubAllEnvs();
});

/** What is wrong with what a request cost. */
const excessOf = ({ cpuMs, idleMiB, peakMiB, status, answer, log }: Measured): string[] => [
  ...(cpuMs < maxCpuMs ? [] : [`${Math.round(cpuMs)} ms of CPU time`]),
  ...(peakMiB - idleMiB < maxMemoryMiB ? [] : [`${Math.round(peakMiB - idleMiB)} MiB`]),
  ...(status < 500 ? [] : [`status ${status}`]),
  ...(status < 300 || Buffer.byteLength(answer) <= maxErrorBytes ? [] : [`an answer of ${answer.length}`]),
  ...(Buffer.byteLength(log) <= maxLogLineBytes + lineEnvelopeBytes ? [] : [`a log of ${log.length}`]),
];

async function dearest(api: ApiName, operation: OperationName, request: EventRequest) {
  const { functionName, event } = apis[api](operation, request);
  expect(Buffer.byteLength(event)).toBeLessThan(maxEventBytes);
  let excess: string[] = [];
  for (let attempt = 0; attempt < tries; attempt++) {
    excess = excessOf(await instance.invoke(functionName, event));
    if (excess.length === 0) {
      break;
    }
  }
  return excess;
}

describe.each(operationNames)('%s, on a warm instance,', (operation) => {
  it.each<ApiName>(['the resource API', 'the AWS API'])(
    `takes under ${maxCpuMs} ms and ${maxMemoryMiB} MiB of any body: %s`,
    async (api) => {
      const excesses: Record<string, string[]> = {};
      for (const [name, make] of worstRequests(operation)) {
        const excess = await dearest(api, operation, make());
        if (excess.length > 0) {
          excesses[name] = excess;
        }
      }
      expect(excesses).toEqual({});
    },
    300_000,
  );
});
