// Quotas from request to count: the handlers over DynamoDB's stand-in.

import { DeleteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { manifestOf } from '../support/manifests.ts';
import { conform } from '../support/openapi.ts';
import { policiesBeside } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type ResourceApi, resourceApi, tokens } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

let proxy: InProcess;
let client: ResourceApi;

async function open(quotas: string) {
  const policyDirectory = policiesBeside({
    'quotas.yaml': quotas,
    'b-too.cedar': '@id("b-too") permit (principal == Client::"team-b-ci", action, resource);',
  });
  proxy = await startInProcess({ policyDirectory, quotaTable: 'quotas' });
  client = resourceApi(proxy.send);
}
const as = (token: string, repositoryName = 'team-a/app') => resourceApi(proxy.send, token, repositoryName);

beforeEach(() => {
  // Midday, so that no test runs into the next day by chance.
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T12:00:00Z') });
});
afterEach(async () => {
  vi.useRealTimers();
  await proxy.close();
});

/** As if what was sent until now had been sent before there was a quota. */
async function forgetCounts() {
  const dynamoDb = new DynamoDBClient({});
  const { Items = [] } = await dynamoDb.send(new ScanCommand({ TableName: 'quotas' }));
  for (const { id } of Items) {
    if (id) {
      await dynamoDb.send(new DeleteItemCommand({ TableName: 'quotas', Key: { id } }));
    }
  }
  dynamoDb.destroy();
}

async function used(api: ResourceApi): Promise<unknown> {
  const { body } = await api.uploadPart(await api.begin(), 0, randomBytes(P));
  return body.used;
}

describe('a quota of bytes', () => {
  it('is refused with 429, its name, what is used, and when it resets', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${P + 10} }`);
    const layer = randomBytes(2 * P);
    const uploadId = await client.begin();
    expect((await client.uploadNth(uploadId, layer, 0)).status).toBe(200);
    const { status, body, headers } = await client.uploadNth(uploadId, layer, 1);
    expect(status).toBe(429);
    expect(body).toMatchObject({
      code: 'QuotaExceededException',
      quota: 'a-day',
      used: P,
      limit: P + 10,
      resetsAt: '2026-11-22T00:00:00.000Z',
      detail: `The quota a-day allows ${P + 10} bytes a day, ${P} are used, and this would be ${P} more. It resets at 2026-11-22T00:00:00.000Z.`,
    });
    expect(headers.get('retry-after')).toBe(String(12 * 3_600));
    const path = `/ecr/layer-uploads/${uploadId}/parts`;
    conform({ method: 'PUT', path }, { status, body, headers });
    // What still fits goes through, to the last byte.
    expect((await client.uploadPart(uploadId, P, layer.subarray(P, P + 10))).status).toBe(200);
  });

  it('resets with the day, and the upload goes on', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${P} }`);
    const layer = randomBytes(P + 5);
    const uploadId = await client.begin();
    await client.uploadNth(uploadId, layer, 0);
    expect((await client.uploadNth(uploadId, layer, 1)).status).toBe(429);
    vi.setSystemTime(new Date('2026-11-22T00:00:01Z'));
    expect((await client.uploadNth(uploadId, layer, 1)).status).toBe(200);
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
  });

  it('counts no part twice: sent again, at the same time, or after an answer that was lost', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${3 * P + 9} }`);
    const layer = randomBytes(3 * P + 9);
    const uploadId = await client.begin();
    for (let n = 0; n < 3; n++) {
      await client.uploadNth(uploadId, layer, 0);
    }
    await proxy.arm({ operation: 'UploadLayerPart', fault: 'drop-after', times: 2 });
    expect((await client.uploadNth(uploadId, layer, 1)).status).toBe(503);
    expect((await client.uploadNth(uploadId, layer, 1)).status).toBe(200);
    const room = await Promise.all([0, 1].map(() => client.uploadNth(uploadId, layer, 2)));
    expect(room.map(({ status }) => status)).toContain(200);
    await client.uploadNth(uploadId, layer, 2);
    expect((await client.uploadNth(uploadId, layer, 3)).status).toBe(200);
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
    expect(await used(client)).toBe(3 * P + 9);
  });

  it('cannot be evaded by parts out of order: what ECR refuses moves no mark', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${2 * P} }`);
    const layer = randomBytes(5 * P);
    const uploadId = await client.begin();
    expect((await client.uploadNth(uploadId, layer, 4)).status).toBe(416);
    for (const part of [0, 1]) {
      expect((await client.uploadNth(uploadId, layer, part)).status).toBe(200);
    }
    expect((await client.uploadNth(uploadId, layer, 4)).status).toBe(416);
    expect((await client.uploadNth(uploadId, layer, 2)).status).toBe(429);
  });

  it('cannot be evaded by parts that overtake each other, however often they try', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${2 * P} }`);
    const layer = randomBytes(4 * P);
    const uploadId = await client.begin();
    const taken = new Set<number>();
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all([3, 2, 1, 0].map((n) => client.uploadNth(uploadId, layer, n)));
      for (const [n, { status }] of answers.entries()) {
        if (status === 200) {
          taken.add(3 - n);
        }
      }
    }
    expect([...taken].sort()).toEqual([0, 1]);
    expect(await used(client)).toBe(2 * P);
  });

  it('counts nothing of a part that cannot be taken, and a part that ECR refused only once', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${P} }`);
    const layer = randomBytes(P);
    const uploadId = await client.begin();
    expect((await client.uploadPart(uploadId, 7, layer)).status).toBe(416);
    expect((await client.uploadPart(uploadId, 0, randomBytes(P + 1))).status).toBe(413);
    await proxy.arm({ operation: 'UploadLayerPart', fault: 'drop-after', times: 2 });
    await client.uploadPart(uploadId, 0, layer.subarray(1));
    for (let n = 0; n < 2; n++) {
      expect((await client.uploadPart(uploadId, 0, layer.subarray(1))).status).toBe(200);
    }
    expect(await used(client)).toBe(P - 1);
  });

  it('counts an upload from then on that began before the quota', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${2 * P} }`);
    const layer = randomBytes(5 * P);
    const uploadId = await client.begin();
    for (const n of [0, 1]) {
      expect((await client.uploadNth(uploadId, layer, n)).status).toBe(200);
    }
    await forgetCounts();
    expect((await client.uploadNth(uploadId, layer, 3)).status).toBe(416);
    for (const n of [2, 3, 2]) {
      expect((await client.uploadNth(uploadId, layer, n)).status).toBe(200);
    }
    expect((await client.uploadNth(uploadId, layer, 4)).status).toBe(429);
  });

  it('counts manifests too', async () => {
    const config = randomBytes(100);
    const imageManifest = manifestOf(config, [config]);
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${100 + imageManifest.length} }`);
    const uploadId = await client.begin();
    await client.uploadPart(uploadId, 0, config);
    await client.complete(uploadId, digestOf(config));
    expect((await client.putImage({ imageManifest: '{}', imageTag: 'v1' })).status).toBe(400);
    expect((await client.putImage({ imageManifest, imageTag: 'v1' })).status).toBe(201);
    expect((await client.putImage({ imageManifest, imageTag: 'v1' })).status).not.toBe(429);
    expect(await client.putImage({ imageManifest, imageTag: 'v2' })).toMatchObject({
      status: 429,
      body: { quota: 'a-day', used: 100 + imageManifest.length },
    });
  });

  it('never lets more through than it allows, however many send at the same time', async () => {
    await open(`- { name: a-day, client: team-a-ci, bytesPerDay: ${3 * P} }`);
    const uploads = await Promise.all(Array.from({ length: 8 }, () => client.begin()));
    const answers = await Promise.all(uploads.map((id) => client.uploadPart(id, 0, randomBytes(P))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
  });

  it('of a namespace is shared by all who push into it, and by nobody else', async () => {
    await open(`- { name: space, namespace: team-a, bytesPerDay: ${P} }`);
    expect(await used(as(tokens.b))).toBeUndefined();
    expect(await used(client)).toBe(P);
    expect(await used(as(tokens.b, 'team-b/app'))).toBeUndefined();
  });

  it('of everybody is each one’s own', async () => {
    await open(`- { name: each, client: "*", bytesPerDay: ${P} }`);
    expect(await used(client)).toBeUndefined();
    expect(await used(as(tokens.b))).toBeUndefined();
    expect(await used(client)).toBe(P);
  });

  it('that refuses leaves the others as they were', async () => {
    await open(
      `- { name: wide, client: team-a-ci, bytesPerDay: ${2 * P} }\n- { name: small, namespace: team-a, bytesPerDay: 5 }`,
    );
    for (let n = 0; n < 3; n++) {
      expect(await used(client)).toBe(0);
    }
  });

  it('is not touched by who may not push at all', async () => {
    await open(`- { name: a-day, client: "*", bytesPerDay: ${P} }`);
    const uploadId = await client.begin();
    expect((await as(tokens.a, 'team-b/app').uploadPart(uploadId, 0, randomBytes(P))).status).toBe(403);
    expect((await client.uploadPart(uploadId, 0, randomBytes(P))).status).toBe(200);
  });
});

describe('a quota of images', () => {
  it('counts an image once a day, however often it is put', async () => {
    await open('- { name: images, client: team-a-ci, imagesPerDay: 2 }');
    const config = randomBytes(100);
    const uploadId = await client.begin();
    await client.uploadPart(uploadId, 0, config);
    await client.complete(uploadId, digestOf(config));
    const put = (name: string) =>
      client.putImage({
        imageManifest: manifestOf(config, [config], { annotations: { name } }),
        imageTag: name,
      });
    expect((await put('v1')).status).toBe(201);
    expect((await put('v1')).status).toBe(409);
    expect((await put('v2')).status).toBe(201);
    expect(await put('v3')).toMatchObject({ status: 429, body: { quota: 'images', used: 2, limit: 2 } });
    vi.setSystemTime(new Date('2026-11-22T12:00:00Z'));
    expect((await put('v3')).status).toBe(201);
  });
});
