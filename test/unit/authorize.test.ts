// authorize: what the policy is asked, what its refusal says, and whose upload an id is.

import { describe, expect, it, vi } from 'vitest';
import { maxEchoedCharacters, maxEchoedClaims, maxFaults } from '../../api/limits.ts';
import type { OperationName } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import type { SealingKeys } from '../../api/sealing-keys.ts';
import type { Count } from '../../lambda/quota/quota-counts.ts';
import { assertAllowed, authorize } from '../../lambda/steps/authorize.ts';
import type { Input } from '../../lambda/steps/validate.ts';
import { type PartSending, type SealBinding, seal } from '../../lambda/upload/seal.ts';
import type { Decision } from '../../policy/policies.ts';
import { type Principal, workload } from '../../policy/principal.ts';
import { proxyErrorFrom } from '../support/forwarding.ts';

const own = '123456789012';
const other = '210987654321';
const repositoryName = 'team/sub/app';
const client: Principal = { type: 'Client', id: 'ci' };
const sealingKey = 'k'.repeat(32);
const allowed: Decision = { allowed: true, policies: [], errors: [] };
const denied: Decision = { allowed: false, policies: [], errors: [] };

const initiate = (
  members: { repositoryName?: string; registryId?: string } = {},
  registry: Registry = 'ecr',
) => ({ operation: 'InitiateLayerUpload', registry, members: { repositoryName, ...members } }) as const;

function openAuthority(decision: Decision = allowed, secret: SealingKeys = { sealingKey }) {
  const decide = vi.fn(() => decision);
  const record = { add: vi.fn(), count: vi.fn() };
  const count = vi.fn<Count>(async () => {});
  const readSecret = vi.fn(async () => ({ clients: {}, ...secret }));
  const accounts = { own, others: [other], aliases: ['alias'] };
  return {
    authority: { policies: { decide }, readSecret, accounts, count },
    decide,
    record,
    count,
    readSecret,
  };
}

async function allow<Name extends OperationName>(input: Input<Name>, principal: Principal = client) {
  const opened = openAuthority();
  const permit = await authorize(principal, input, opened.authority, opened.record);
  return { permit, ...opened };
}

async function refusal(decision: Decision, principal: Principal = client) {
  const { authority, record } = openAuthority(decision);
  const error = await proxyErrorFrom(authorize(principal, initiate(), authority, record));
  return { error, record };
}

describe('the policy', () => {
  it.each<[string, string | undefined, Registry, string]>([
    ['no registry', undefined, 'ecr', own],
    ['the own account', own, 'ecr', own],
    ['another that is configured', other, 'ecr', other],
    ['an alias of the own account', 'alias', 'ecr-public', own],
  ])('is asked about the account of a request that names %s', async (_, registryId, registry, account) => {
    const { permit, decide, record } = await allow(initiate(registryId ? { registryId } : {}, registry));
    expect(decide.mock.calls).toEqual([
      [
        {
          principal: client,
          action: 'InitiateLayerUpload',
          resource: {
            id: `${registry}/${account}/${repositoryName}`,
            attrs: { name: repositoryName, namespace: 'team/sub', registry, registryId: account },
          },
          context: {},
          now: expect.any(Date),
        },
      ],
    ]);
    expect(permit).toMatchObject({ registry, registryId: account, principal: client });
    expect(record.add.mock.calls).toEqual([
      [{ registry, registryId: account, repositoryName, decision: 'allow', policies: [], bytes: 0 }],
    ]);
    expect(record.count).not.toHaveBeenCalled();
  });

  it.each([
    ['app', ''],
    ['team/app', 'team'],
    ['a/b/c', 'a/b'],
  ])('is asked about the namespace of %s: %j', async (name, namespace) => {
    const { decide } = await allow(initiate({ repositoryName: name }));
    expect(decide.mock.calls.flat()[0]).toMatchObject({ resource: { attrs: { name, namespace } } });
  });

  it('is asked with what the request says, which is logged as well', async () => {
    const input = {
      operation: 'UploadLayerPart',
      registry: 'ecr',
      members: {
        repositoryName,
        uploadId: 'x',
        partFirstByte: 0,
        partLastByte: 2,
        layerPartBlob: Buffer.from('abc'),
      },
    } as const;
    const { authority, decide, record } = openAuthority();
    assertAllowed(client, input, authority, record);
    expect(decide.mock.calls.flat()[0]).toMatchObject({ context: { partFirstByte: 0, partLastByte: 2 } });
    expect(record.add.mock.calls.flat()[0]).toMatchObject({ decision: 'allow', bytes: 3 });
  });

  it('is not asked about a registry that is not configured, which is refused and logged', async () => {
    const { authority, decide, record } = openAuthority();
    const asked = authorize(client, initiate({ registryId: '999999999999' }), authority, record);
    expect(await proxyErrorFrom(asked)).toMatchObject({
      code: 'AccessDeniedException',
      message:
        "This proxy pushes to no registry 999999999999: only to its own account's, and to those that its operator has configured.",
      members: { policies: [] },
    });
    expect(decide).not.toHaveBeenCalled();
    expect(record.add.mock.calls).toEqual([
      [{ registry: 'ecr', registryId: '999999999999', repositoryName, decision: 'deny', policies: [] }],
    ]);
  });
});

describe('a refusal', () => {
  it('names the policies that forbid it, with their messages', async () => {
    const { error, record } = await refusal({
      ...denied,
      policies: [{ id: 'large', message: 'too large' }, { id: 'night' }],
    });
    expect(error).toMatchObject({
      code: 'AccessDeniedException',
      message: 'Forbidden by large: too large; night.',
      members: { policies: ['large', 'night'] },
    });
    expect(record.add.mock.calls.flat()[0]).toMatchObject({ decision: 'deny', policies: ['large', 'night'] });
  });

  it('says that no policy permits it', async () => {
    const { error } = await refusal(denied);
    expect(error.message).toBe(`No policy lets this client do InitiateLayerUpload in ${repositoryName}.`);
    expect(error.members).toEqual({ policies: [] });
  });

  it('has a workload’s claims, as they were received', async () => {
    const claims = { ref: 'refs/heads/main', groups: ['a', 'b'] };
    const { error } = await refusal(denied, workload('https://issuer.example', 'me', claims));
    expect(error.message).toBe(
      `No policy lets this workload (issuer https://issuer.example, subject me) do InitiateLayerUpload in ${repositoryName}.`,
    );
    expect(error.members).toEqual({ policies: [], claims });
  });

  it('has no more of them than can be read', async () => {
    const long = 'x'.repeat(maxEchoedCharacters + 1);
    const cut = `${long.slice(1)}…`;
    const many = Object.fromEntries(
      Array.from({ length: maxEchoedClaims + 1 }, (_, n) => [`claim-${n}`, 'v']),
    );
    const principal = workload(long, long, { [long]: long, list: Array(11).fill(long), ...many });
    const { error } = await refusal(denied, principal);
    const { claims = {} } = error.members;
    expect(Object.keys(claims)).toHaveLength(maxEchoedClaims);
    expect(claims).toMatchObject({ [cut]: cut, list: Array(10).fill(cut) });
    expect(error.message).toContain(`(issuer ${cut}, subject ${cut})`);
  });

  it('of policies that could not be evaluated tells the client nothing of them, and the log some', async () => {
    const errors = Array.from({ length: maxFaults + 1 }, () => 'e'.repeat(maxEchoedCharacters + 1));
    const { error, record } = await refusal({ ...denied, policies: [{ id: 'secret' }], errors });
    expect(error).toMatchObject({
      code: 'AccessDeniedException',
      message: expect.stringMatching(/^The policies could not be evaluated for this request.*request id\.$/),
      members: {},
    });
    expect(error.members).toEqual({});
    expect(record.add.mock.calls.flat()[0]).toMatchObject({
      policyErrors: Array(maxFaults).fill(`${'e'.repeat(maxEchoedCharacters)}…`),
    });
    expect(record.count.mock.calls).toEqual([['PolicyErrors']]);
  });
});

describe('policies in audit mode', () => {
  it.each([
    [allowed, denied, 'AuditWouldRefuse', 'deny'],
    [denied, allowed, 'AuditWouldAllow', 'allow'],
  ])('decide nothing, and are logged and counted: %#', async (decision, audit, metric, said) => {
    const { authority, record } = openAuthority({ ...decision, audit });
    const asked = authorize(client, initiate(), authority, record);
    if (decision.allowed) {
      await asked;
    } else {
      expect((await proxyErrorFrom(asked)).code).toBe('AccessDeniedException');
    }
    expect(record.count.mock.calls).toEqual([[metric]]);
    expect(record.add.mock.calls.flat()[0]).toMatchObject({ audit: { decision: said, policies: [] } });
  });
});

describe('an upload id', () => {
  const uploadId = '11111111-2222-3333-4444-555555555555';
  const binding: SealBinding = { principal: client, registry: 'ecr', registryId: own, repositoryName };
  const pairs: PartSending = { pairsOf: 4_194_304 };

  const part = (sealed: string, sending?: 'direct'): Input<'CompleteLayerUpload'> => ({
    ...{ operation: 'CompleteLayerUpload', registry: 'ecr', ...(sending && { sending }) },
    members: { repositoryName, uploadId: sealed, layerDigests: [] },
  });

  async function open(sealed: string, sending?: 'direct', secret?: SealingKeys) {
    const { authority, record } = openAuthority(allowed, secret);
    const { uploadId: opened, sending: how } = await authorize(
      client,
      part(sealed, sending),
      authority,
      record,
    );
    return { uploadId: opened, sending: how };
  }

  it.each<[PartSending, 'direct' | undefined]>([
    [pairs, undefined],
    [{ pairsOf: 8 }, undefined],
    ['direct', 'direct'],
  ])('sealed for this client and repository is opened: %j', async (sending, asked) => {
    const sealed = seal(sealingKey, { uploadId, sending }, binding);
    expect(await open(sealed, asked)).toEqual({ uploadId, sending });
  });

  it('that was sealed with the key before is opened as long as that key opens', async () => {
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const previous = (opensUntil: string): SealingKeys => ({
      sealingKey: 'n'.repeat(32),
      previousSealingKey: { key: sealingKey, sealsUntil: at(-1), opensUntil },
    });
    const sealed = seal(sealingKey, { uploadId, sending: pairs }, binding);
    expect(await open(sealed, undefined, previous(at(60_000)))).toMatchObject({ uploadId });
    expect((await proxyErrorFrom(open(sealed, undefined, previous(at(-1))))).code).toBe(
      'UploadNotFoundException',
    );
  });

  it.each<[string, string, ('direct' | undefined)?]>([
    [
      'another client',
      seal(sealingKey, { uploadId, sending: pairs }, { ...binding, principal: { type: 'Client', id: 'me' } }),
    ],
    [
      'another repository',
      seal(sealingKey, { uploadId, sending: pairs }, { ...binding, repositoryName: 'team/b' }),
    ],
    ['another account', seal(sealingKey, { uploadId, sending: pairs }, { ...binding, registryId: other })],
    [
      'another registry',
      seal(sealingKey, { uploadId, sending: pairs }, { ...binding, registry: 'ecr-public' }),
    ],
    ['another key', seal('x'.repeat(32), { uploadId, sending: pairs }, binding)],
    ['a front that streams', seal(sealingKey, { uploadId, sending: 'direct' }, binding)],
    ['a front that joins parts', seal(sealingKey, { uploadId, sending: pairs }, binding), 'direct'],
    ['nobody', uploadId],
  ])('of %s is unknown', async (_, sealed, sending) => {
    expect((await proxyErrorFrom(open(sealed, sending))).code).toBe('UploadNotFoundException');
  });

  it('is not looked at before the policy has decided, nor where only the policy is asked', async () => {
    const { authority, record, readSecret } = openAuthority(denied);
    expect((await proxyErrorFrom(authorize(client, part('x'), authority, record))).code).toBe(
      'AccessDeniedException',
    );
    const asked = openAuthority();
    assertAllowed(client, part('x'), asked.authority, asked.record);
    expect(readSecret).not.toHaveBeenCalled();
    expect(asked.readSecret).not.toHaveBeenCalled();
  });
});

describe('a permit', () => {
  it('has the members of its request, and whether it is repeated', async () => {
    const input = initiate();
    expect((await allow(input)).permit).toMatchObject({
      ...{ operation: 'InitiateLayerUpload', members: input.members, isRepeated: false },
      ...{ uploadId: '', sending: { pairsOf: 4_194_304 } },
    });
    expect((await allow({ ...input, isRepeated: true })).permit.isRepeated).toBe(true);
    expect((await allow({ ...input, sending: 'direct' })).permit.sending).toBe('direct');
  });

  const image: Input<'PutImage'> = {
    ...{ operation: 'PutImage', registry: 'ecr' },
    members: { repositoryName, imageManifest: '{}', imageTag: 'v1' },
  };

  it('counts what its operation uses, for its caller and repository', async () => {
    const { permit, count } = await allow(image);
    expect(count).not.toHaveBeenCalled();
    const options = { tellNearlyUsed: () => {} };
    await permit.countUsage(options);
    expect(count.mock.calls).toEqual([
      [
        { principal: client, resource: expect.objectContaining({ id: `ecr/${own}/${repositoryName}` }) },
        [expect.objectContaining({ unit: 'images' }), expect.objectContaining({ unit: 'bytes', end: 2 })],
        options,
      ],
    ]);
  });

  it('counts nothing where there are no quotas, and nothing of an operation that uses none', async () => {
    const { authority, record } = openAuthority();
    const uncounted = await authorize(client, image, { ...authority, count: undefined }, record);
    await uncounted.countUsage({});
    const { permit, count } = await allow(initiate());
    await permit.countUsage({});
    expect(count).not.toHaveBeenCalled();
  });
});
