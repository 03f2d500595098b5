// The metrics that requests leave behind, as CloudWatch reads them from the log.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { partSize as P } from '../../api/limits.ts';
import { metrics } from '../../api/metrics.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type ResourceApi, resourceApi } from '../support/resource-api.ts';

/** A line in CloudWatch's embedded metric format. */
const emf = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string() })),
      }),
    ),
  }),
});

type Point = { name: string; unit: string; dimensions: Record<string, unknown>; values: number[] };

const values = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

/** What CloudWatch makes of a line: each metric once for every set of dimensions. */
function pointsOf(line: string): Point[] {
  const { data } = emf.safeParse(line.startsWith('{') ? JSON.parse(line) : undefined);
  return (data?._aws.CloudWatchMetrics ?? []).flatMap(({ Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name: name, Unit: unit }) =>
      Dimensions.map((set) => ({
        name,
        unit,
        dimensions: Object.fromEntries(set.map((dimension) => [dimension, data?.[dimension]])),
        values: values.parse(data?.[name]),
      })),
    ),
  );
}

let proxy: InProcess;
let client: ResourceApi;
let points: () => Point[];
beforeEach(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  vi.stubEnv('POWERTOOLS_DEV', 'true'); // prints through this process's console
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(String(line)));
  proxy = await startInProcess({ metrics: true });
  client = resourceApi(proxy.send);
  points = () => lines.flatMap(pointsOf);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await proxy.close();
});

/** The sum of a metric for the whole proxy, or for one value of its other dimension. */
const sum = (name: string, more: Record<string, string> = {}) =>
  points()
    .filter((point) => point.name === name)
    .filter(({ dimensions }) => JSON.stringify(dimensions) === JSON.stringify({ service: 'test', ...more }))
    .flatMap((point) => point.values)
    .reduce((total, value) => total + value, 0);
const samples = (upstream: string) =>
  points()
    .filter(({ name, dimensions }) => name === 'UpstreamLatency' && dimensions.upstream === upstream)
    .flatMap((point) => point.values).length;

describe('the metrics', () => {
  it('count requests, bytes, joins and the calls behind them', async () => {
    const layer = randomBytes(2 * P + 5);
    const uploadId = await client.begin();
    for (const part of [0, 1, 2]) {
      await client.uploadNth(uploadId, layer, part);
    }
    await client.complete(uploadId, digestOf(layer));
    expect(sum('Requests')).toBe(5);
    expect(sum('Requests', { operation: 'UploadLayerPart' })).toBe(3);
    expect(sum('Bytes')).toBe(layer.length);
    expect(sum('PartJoins')).toBe(1);
    expect(sum('Resumes')).toBe(0);
    expect(samples('ecr:UploadLayerPart')).toBe(2);
    // The waiting part, what became of it, and what the layer is completed with.
    expect(samples('s3:PutObject')).toBe(3);
    expect(sum('UpstreamErrors')).toBe(0);
    expect(sum('Refusals')).toBe(0);
  });

  it('count refusals by reason', async () => {
    await client.initiate({ repositoryName: 'team-b/app' });
    await resourceApi(proxy.send, 'eup_team-a-ci_STOLEN').initiate();
    expect(sum('Refusals')).toBe(2);
    expect(sum('Refusals', { reason: 'AccessDeniedException' })).toBe(1);
    expect(sum('Refusals', { reason: 'UnrecognizedClientException' })).toBe(1);
  });

  it('count a part that is sent again, and a refusal that says where to resume, as resumes', async () => {
    const layer = randomBytes(4 * P);
    const uploadId = await client.begin();
    for (const part of [0, 1, 1]) {
      await client.uploadNth(uploadId, layer, part);
    }
    expect(sum('Resumes')).toBe(1);
    expect((await client.uploadNth(uploadId, layer, 3)).status).toBe(416);
    expect(sum('Resumes')).toBe(2);
  });

  it('count faults of what is behind, and not what a client did wrong', async () => {
    const uploadId = await client.begin();
    await client.complete(uploadId, digestOf('nothing was sent'));
    expect(sum('UpstreamErrors')).toBe(0);
    await proxy.arm({ fault: 'server-error', operation: 'InitiateLayerUpload' });
    await client.initiate();
    expect(sum('UpstreamErrors', { upstream: 'ecr:InitiateLayerUpload' })).toBe(1);
  });

  it('are those of the table, with their units and dimensions, and never a client or a repository', async () => {
    await client.uploadPart(await client.begin(), 0, randomBytes(10));
    await client.initiate({ repositoryName: 'team-b/app' });
    const table = Object.entries(metrics);
    for (const { name, unit, dimensions } of points()) {
      const row = table.find(([known]) => known === name)?.[1];
      expect(row?.unit).toBe(unit);
      expect([['service'], ['service', row?.by]]).toContainEqual(Object.keys(dimensions));
    }
    expect(JSON.stringify(points())).not.toMatch(/team-|eup_/);
  });
});
