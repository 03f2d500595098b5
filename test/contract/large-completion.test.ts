// A completion that outlasts the function: ECR goes on with a big layer, and the client's retry finds it complete.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { errors } from '../../api/errors.ts';
import { partSize as P } from '../../api/limits.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type Answer, type ResourceApi, resourceApi } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

/** Instead of 28 s, and for the completion alone: the proxy gives up 1.5 s before its end. */
const timeoutMs = 4_000;
const ecrTakesMs = 5_000;

let proxy: InProcess;
let client: ResourceApi;
/** The same client, where the functions have little time: only what is tested is given up. */
let hurried: ResourceApi;
beforeAll(async () => {
  proxy = await startInProcess();
  client = resourceApi(proxy.send);
  hurried = resourceApi(proxy.sendWithin(timeoutMs));
});
afterEach(() => proxy.disarm());
afterAll(() => proxy?.close());

const slow = (times: number) =>
  proxy.arm({ operation: 'CompleteLayerUpload', fault: 'delay', delayMs: ecrTakesMs, times });

/** Another layer for each test: ECR takes none twice. */
async function upload() {
  const layer = randomBytes(3 * P);
  const uploadId = await client.begin();
  for (const part of [0, 1, 2]) {
    expect((await client.uploadNth(uploadId, layer, part)).status).toBe(200);
  }
  return { uploadId, layerDigest: digestOf(layer) };
}

const counts = z.object({ operations: z.record(z.string(), z.number()) });
async function timesAsked(): Promise<number> {
  const { operations } = counts.parse(await (await fetch(`${proxy.ecrUrl}/_requests`)).json());
  return operations['ecr:CompleteLayerUpload'] ?? 0;
}

/** On a busy machine the function's time may be over before it asks ECR: then once more. */
async function completeInVain(uploadId: string, layerDigest: string): Promise<Answer> {
  const before = await timesAsked();
  for (;;) {
    const answer = await hurried.complete(uploadId, layerDigest);
    if ((await timesAsked()) > before) {
      return answer;
    }
  }
}

/** ECR is done. */
const isStored = (layerDigest: string) =>
  vi.waitFor(
    async () => {
      const { body } = await client.available(layerDigest);
      expect(body.layers).toMatchObject([{ layerDigest, layerAvailability: 'AVAILABLE' }]);
    },
    { timeout: 60_000, interval: 200 },
  );

describe('a completion that takes ECR longer than the function has', () => {
  it('is answered 504 with Retry-After, and a retry after ECR is done finds the layer by its digest', async () => {
    const { uploadId, layerDigest } = await upload();
    await slow(1);
    const first = await completeInVain(uploadId, layerDigest);
    expect(first).toMatchObject({ status: 504, body: { code: 'GatewayTimeoutException' } });
    expect(first.headers.get('retry-after')).toBe(`${errors.GatewayTimeoutException.sendAgain.afterSeconds}`);
    await isStored(layerDigest);
    expect(await client.complete(uploadId, layerDigest)).toMatchObject({
      status: 201,
      body: { layerDigest, uploadId },
    });
  });

  it('ends in success for a client that retries while ECR is still at it', async () => {
    const { uploadId, layerDigest } = await upload();
    await slow(2);
    const answers: Answer[] = [];
    do {
      answers.push(await hurried.complete(uploadId, layerDigest));
      await sleep(200);
    } while (answers.at(-1)?.status === 504 && answers.length < 10);
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.at(-1)).toMatchObject({ status: 201, body: { layerDigest, uploadId } });
    await isStored(layerDigest);
  });

  it('is no success when the layer has another digest: the retry says so', async () => {
    const { uploadId } = await upload();
    await slow(1);
    const wrong = digestOf('another layer');
    expect((await completeInVain(uploadId, wrong)).status).toBe(504);
    await sleep(ecrTakesMs);
    expect(await client.complete(uploadId, wrong)).toMatchObject({
      status: 422,
      body: { code: 'InvalidLayerException' },
    });
  });
});
