// `ecr-upload-proxy sealing-key rotate`, against running handlers: uploads that are under way do not notice.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretMaxAgeMs } from '../../api/limits.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type ResourceApi, resourceApi } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

const main = join(import.meta.dirname, '../../cli/main.ts');
const hourMs = 3_600_000;

let proxy: InProcess;
let client: ResourceApi;
beforeEach(async () => {
  proxy = await startInProcess();
  client = resourceApi(proxy.send);
});
afterEach(async () => {
  vi.useRealTimers();
  await proxy.close();
});

const rotate = () =>
  promisify(execFile)(process.execPath, [main, 'sealing-key', 'rotate', '--local', proxy.secrets.file]);
const secret = (): Record<string, unknown> => JSON.parse(readFileSync(proxy.secrets.file, 'utf8'));

/** So much later, as the functions' clock has it. */
const pass = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });

const layer = randomBytes(10);
const sends = async (uploadId: string) => (await client.uploadPart(uploadId, 0, layer)).status;

describe('a rotation of the sealing key', () => {
  it('lets an upload that was begun before it end, for a day', async () => {
    const uploadId = await client.begin();
    await rotate();
    pass(23 * hourMs);
    expect(await sends(uploadId)).toBe(200);
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
  });

  it('ends uploads that were begun before it after that day', async () => {
    const uploadId = await client.begin();
    await rotate();
    pass(25 * hourMs);
    expect(await sends(uploadId)).toBe(404);
  });

  it('seals with the old key until every function has read the new one', async () => {
    const { sealingKey } = secret();
    await client.initiate();
    await rotate();
    pass(secretMaxAgeMs + 1);
    const early = await client.begin();
    pass(secretMaxAgeMs + 1);
    const late = await client.begin();
    expect(secret().sealingKey).not.toBe(sealingKey);
    expect([await sends(early), await sends(late)]).toEqual([200, 200]);
    pass(24 * hourMs);
    expect([await sends(early), await sends(late)]).toEqual([404, 200]);
  });

  it('keeps the clients, and is refused while the one before is under way', async () => {
    const { clients } = secret();
    await rotate();
    expect(secret().clients).toEqual(clients);
    await expect(rotate()).rejects.toThrow(/rotate again after that/);
  });
});
