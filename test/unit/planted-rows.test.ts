// A row more in either table: an operation that is a GET and has a time in its output, an error with a header of its own.

import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { ErrorRow } from '../../api/errors.ts';
import type { Registry } from '../../api/registries.ts';

const planted = vi.hoisted(() => ({ operation: 'DescribeLayer', error: 'LayerArchivedException' }));

vi.mock('../../api/operations.ts', async (original) => {
  const real = await original<typeof import('../../api/operations.ts')>();
  const { repositoryMembers } = await import('../../api/members.ts');
  const { everyRegistry } = await import('../../api/registries.ts');
  const row = {
    ...real.operations.BatchCheckLayerAvailability,
    summary: 'Describes a layer.',
    method: 'GET',
    path: '/layers/{layerDigest}',
    input: (registry: Registry) =>
      z.object({
        ...repositoryMembers(registry),
        layerDigest: z.string(),
        maxResults: z.int().optional(),
        mediaTypes: z.array(z.string()).optional(),
        filter: z.object({ status: z.string().optional(), sizes: z.array(z.int()).optional() }).optional(),
      }),
    output: z.object({ layerDigest: z.string(), pushedAt: z.date() }),
  };
  // At a path that another operation has already, with another method.
  const list = { ...row, path: '/layer-uploads' };
  const operations = Object.assign(real.operations, { [planted.operation]: row, ListLayers: list });
  const operationNames = Object.keys(operations);
  return {
    ...real,
    operationNames,
    calls: everyRegistry.flatMap((registry) => operationNames.map((operation) => ({ operation, registry }))),
    isOperationName: (name: string) => Object.hasOwn(operations, name),
  };
});

vi.mock('../../api/errors.ts', async (original) => {
  const real = await original<typeof import('../../api/errors.ts')>();
  const row: ErrorRow = {
    status: 409,
    title: 'The layer is archived',
    sendAgain: { afterSeconds: 7 },
    headers: [{ name: 'X-Restore', description: 'How.', pattern: /^restore$/, value: () => 'restore' }],
    oci: 'DENIED',
  };
  Object.assign(real.errors, { [planted.error]: row });
  const errorCodes = Object.keys(real.errors);
  return {
    ...real,
    errorCodes,
    codesOf: (call: Parameters<typeof real.codesOf>[0]) => [...real.codesOf(call), planted.error],
  };
});

const { operationNames } = await import('../../api/operations.ts');
const operation = operationNames.find((name) => String(name) === planted.operation) ?? 'PutImage';

describe('a planted operation', () => {
  it('is in openapi.json, its members in path and query, its time as ISO 8601', async () => {
    const { openapi } = await import('../../api/openapi/document.ts');
    const { get } = openapi.paths['/ecr/layers/{layerDigest}'] ?? {};
    expect(get).not.toHaveProperty('requestBody');
    expect(get?.parameters.map(({ name, in: place, required }) => [name, place, required])).toEqual([
      ['layerDigest', 'path', true],
      ['registryId', 'query', false],
      ['repositoryName', 'query', true],
      ['maxResults', 'query', false],
      ['mediaTypes', 'query', false],
      ['filter.status', 'query', false],
      ['filter.sizes', 'query', false],
    ]);
    expect(openapi.components.schemas).toMatchObject({
      DescribeLayerResponse: { properties: { pushedAt: { type: 'string', format: 'date-time' } } },
    });
  });

  it('shares its path with another method’s', async () => {
    const { openapi } = await import('../../api/openapi/document.ts');
    expect(Object.keys(openapi.paths['/ecr/layer-uploads'] ?? {})).toEqual(['post', 'get']);
  });

  it('is read by validate as the client writes it', async () => {
    const { requestOf } = await import('../../client/request.ts');
    const { readEventMembers, requestRules } = await import('../../lambda/gateway/event-members.ts');
    const { validate } = await import('../../lambda/steps/validate.ts');
    const { resourceApi } = await import('../../lambda/gateway/resource-api.ts');
    const { proxyEvent } = await import('../support/proxy-event.ts');
    const members = {
      repositoryName: 'a/b',
      layerDigest: 'sha256:0',
      maxResults: 5,
      mediaTypes: ['x', 'y'],
      filter: { status: 'any', sizes: [1, 2] },
    };
    const { url, method, headers, body } = requestOf(
      new URL('https://x.test/prod'),
      'ecr',
      operation,
      members,
    );
    expect({ method, headers, body }).toEqual({ method: 'GET', headers: {}, body: null });
    expect(url.href).toBe(
      'https://x.test/prod/ecr/layers/sha256%3A0?repositoryName=a%2Fb&maxResults=5&mediaTypes=x&mediaTypes=y&filter.status=any&filter.sizes=1&filter.sizes=2',
    );
    const names = [...new Set(url.searchParams.keys())];
    const event = proxyEvent(operation, {
      path: { layerDigest: 'sha256:0' },
      query: Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name)])),
    });
    const call = { operation, registry: 'ecr' } as const;
    const api = resourceApi(operation);
    const input = await validate({
      ...call,
      readMembers: () => readEventMembers({ ...event, headers: {} }, requestRules(call, api)),
      refusesUnknownMembers: api.refusesUnknownMembers,
    });
    expect(input.members).toEqual(members);
  });

  it('is written in each protocol’s own form, without what its row does not have', async () => {
    const { awsApi } = await import('../../lambda/gateway/aws-api.ts');
    const { resourceApi } = await import('../../lambda/gateway/resource-api.ts');
    const output = { layerDigest: 'sha256:0', pushedAt: new Date(1_500), $metadata: {} };
    expect(JSON.parse(resourceApi(operation).writeOutput(operation, output).body)).toEqual({
      layerDigest: 'sha256:0',
      pushedAt: '1970-01-01T00:00:01.500Z',
    });
    expect(JSON.parse(awsApi(['ecr']).writeOutput(operation, output).body)).toEqual({
      layerDigest: 'sha256:0',
      pushedAt: 1.5,
    });
  });

  it('is not written where its output lacks what the row requires', async () => {
    const { resourceApi } = await import('../../lambda/gateway/resource-api.ts');
    const write = () => resourceApi(operation).writeOutput(operation, { layerDigest: 'sha256:0' });
    expect(write).toThrow(z.ZodError);
  });

  it('has a route in the local gateway', async () => {
    const { router } = await import('../../local/gateway/routes.ts');
    const { operations } = await import('../../api/operations.ts');
    const { method, path } = operations[operation];
    const match = router([{ method, path: `/ecr${path}`, functionName: 'f' }]);
    expect(match('GET', '/ecr/layers/sha256:0')?.pathParameters).toEqual({ layerDigest: 'sha256:0' });
  });
});

describe('a planted error', () => {
  const plantedError = async () => {
    const { errorCodes } = await import('../../api/errors.ts');
    const { ProxyError } = await import('../../api/proxy-error.ts');
    const code = errorCodes.find((one) => String(one) === planted.error) ?? 'InternalFailure';
    return new ProxyError(code);
  };

  it('has its headers and Retry-After, in the answer and in openapi.json', async () => {
    const { resourceApi } = await import('../../lambda/gateway/resource-api.ts');
    const { openapi } = await import('../../api/openapi/document.ts');
    const { headers } = resourceApi('PutImage').writeError(await plantedError(), 'r');
    expect(headers).toMatchObject({ 'X-Restore': 'restore', 'Retry-After': '7' });
    expect(openapi.paths['/ecr/images']?.put?.responses['409']?.headers).toMatchObject({
      'X-Restore': { schema: { pattern: '^restore$' } },
      'Retry-After': { schema: { const: 7 } },
    });
  });

  it('is sent again by the client, and has its code in the OCI distribution API', async () => {
    const { problemOf } = await import('../../client/refusals.ts');
    const { ociCodeOf } = await import('../../registry/front/oci-errors.ts');
    const { code } = await plantedError();
    expect(problemOf(409, new Headers(), JSON.stringify({ code }))).toMatchObject({ retryable: true });
    expect(ociCodeOf(code, 'blob')).toBe('DENIED');
  });
});
