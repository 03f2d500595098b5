// What holds for ECR Public alone, in the resource API: names, aliases, its own exceptions, and how large a layer may be.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { resourceApi, tokens } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

const account = '123456789012';
const otherAccount = '210987654321';
const alias = 'a1b2c3d4';

let proxy: InProcess;

/** The sample policies end a layer at 2 GiB, long before a registry does. */
beforeAll(async () => {
  const policyDirectory = policiesOf({ 'all.cedar': 'permit (principal, action, resource);' });
  const accounts = { others: [otherAccount], aliases: [alias] };
  proxy = await startInProcess({ policyDirectory, accounts });
});
afterAll(() => proxy?.close());

const client = (registry: Registry = 'ecr-public', repositoryName = 'team-a/app') =>
  resourceApi(proxy.send, tokens.a, repositoryName, registry);

const path = (rest: string) => `/layer-uploads${rest}`;

describe('a registry alias', () => {
  it('stands for the account throughout an upload, and the answers name the account', async () => {
    const { json } = client();
    const layer = randomBytes(P + 5);
    const named = (registryId?: string) => ({ repositoryName: 'team-a/app', registryId });
    const { body } = await json('POST', path(''), named(alias));
    const uploadId = String(body.uploadId);
    const part = (first: number, last: number, registryId?: string) =>
      json('PUT', path(`/${uploadId}/parts`), {
        ...named(registryId),
        partFirstByte: first,
        partLastByte: last,
        layerPartBlob: layer.subarray(first, last + 1).toString('base64'),
      });
    expect(await part(0, P - 1, account)).toMatchObject({ status: 200, body: { registryId: account } });
    expect(await part(P, P + 4)).toMatchObject({ status: 200, body: { registryId: account } });
    const completion = { ...named(alias), layerDigests: [digestOf(layer)] };
    expect(await json('POST', path(`/${uploadId}/completion`), completion)).toMatchObject({
      status: 201,
      body: { registryId: account, layerDigest: digestOf(layer) },
    });
  });

  it('that is not configured is refused, for nobody here knows whose it is', async () => {
    expect(await client().initiate({ registryId: 'somebody' })).toMatchObject({
      status: 403,
      body: { code: 'AccessDeniedException', detail: expect.stringContaining('no registry somebody') },
    });
  });

  it('is none in private ECR', async () => {
    expect(await client('ecr').initiate({ registryId: alias })).toMatchObject({
      status: 400,
      body: { invalidMembers: [{ member: 'registryId', expected: 'an AWS account id of 12 digits' }] },
    });
  });
});

describe('an account', () => {
  it('that is configured is for ECR to answer about', async () => {
    expect(await client().initiate({ registryId: otherAccount })).toMatchObject({
      status: 404,
      body: { code: 'RegistryNotFoundException' },
    });
  });

  it.each(['ecr', 'ecr-public'] as const)(
    'that is not is refused in %s, whatever the policy permits',
    async (registry) => {
      expect(await client(registry).initiate({ registryId: '999999999999' })).toMatchObject({
        status: 403,
        body: { code: 'AccessDeniedException', policies: [] },
      });
    },
  );
});

describe('a repository name', () => {
  it.each<[string, string, Registry, number]>([
    ['of 205 characters', `team-a/${'x'.repeat(198)}`, 'ecr-public', 404],
    ['of 206 characters', `team-a/${'x'.repeat(199)}`, 'ecr-public', 400],
    ['of 206 characters', `team-a/${'x'.repeat(199)}`, 'ecr', 404],
    ['with two underscores', 'team-a/a__b', 'ecr-public', 400],
    ['with two underscores', 'team-a/a__b', 'ecr', 404],
    ['with three hyphens', 'team-a/a---b', 'ecr-public', 400],
    ['with three hyphens', 'team-a/a---b', 'ecr', 404],
  ])('%s (%s) is judged by the rules of %s: %i', async (_, name, registry, status) => {
    expect((await client(registry, name).initiate()).status).toBe(status);
  });
});

describe('the largest layer', () => {
  it.each<[Registry, number]>([
    ['ecr-public', 8_388_608_000],
    ['ecr', 35_232_153_600],
  ])(
    'of %s has %i bytes: its first part beyond is refused, and the last within is not',
    async (registry, bytes) => {
      const { begin, uploadPart } = client(registry);
      const uploadId = await begin();
      const beyond = await uploadPart(uploadId, bytes, randomBytes(1));
      expect(beyond).toMatchObject({ status: 429, body: { code: 'LimitExceededException' } });
      expect(beyond.body.detail).toContain(`${bytes} bytes at most`);
      expect((await uploadPart(uploadId, bytes - P, randomBytes(1))).status).toBe(416);
    },
  );
});

describe('a command that ECR Public does not have in the region', () => {
  it('is answered 501 UnsupportedCommandException', async () => {
    await proxy.arm({ fault: 'unsupported', operation: 'InitiateLayerUpload' });
    expect(await client().initiate()).toMatchObject({
      status: 501,
      body: { code: 'UnsupportedCommandException' },
    });
  });
});
