import { describe, expect, it } from 'vitest';
import { policySource } from '../../lib/policies.ts';
import { type DecisionRequest, loadPolicies } from '../../policy/policies.ts';
import { policiesOf } from '../support/policy-directory.ts';

const load = (text: string) => loadPolicies(policiesOf({ 'test.cedar': text }));

/** What every image has, for the policy. */
const image = (facts: DecisionRequest['context'] = {}): DecisionRequest['context'] => ({
  imageDigest: 'sha256:0',
  imageManifestMediaType: 'application/vnd.oci.image.manifest.v1+json',
  layerCount: 1,
  layerMediaTypes: [],
  totalBytes: 1,
  manifestCount: 0,
  manifestMediaTypes: [],
  platformCount: 0,
  annotations: {},
  ...facts,
});

const request = (
  client: string,
  action: string,
  name: string,
  context: DecisionRequest['context'] = {},
): DecisionRequest => ({
  principal: { type: 'Client', id: client },
  action,
  resource: {
    id: `ecr/123456789012/${name}`,
    attrs: { name, namespace: name.split('/')[0] ?? '', registry: 'ecr', registryId: '123456789012' },
  },
  context,
  now: new Date('2026-11-21T12:00:00Z'),
});

describe('the sample policies', () => {
  const policies = loadPolicies(policySource);
  const part = (last: number) => ({ partFirstByte: 0, partLastByte: last });

  it.each<[string, DecisionRequest, boolean, string[]]>([
    [
      'let a team’s CI push to its team’s repositories',
      request('team-a-ci', 'InitiateLayerUpload', 'team-a/app'),
      true,
      ['team-a-pushes'],
    ],
    [
      'keep a team’s CI from another team’s',
      request('team-a-ci', 'InitiateLayerUpload', 'team-b/app'),
      false,
      [],
    ],
    [
      'keep it from a name that only begins alike',
      request('team-a-ci', 'InitiateLayerUpload', 'team-ax/app'),
      false,
      [],
    ],
    [
      'keep out a client they do not name',
      request('team-c-ci', 'InitiateLayerUpload', 'team-c/app'),
      false,
      [],
    ],
    [
      'let the last byte of 2 GiB pass',
      request('team-a-ci', 'UploadLayerPart', 'team-a/app', part(2 ** 31 - 1)),
      true,
      ['team-a-pushes'],
    ],
    [
      'forbid the first byte over 2 GiB',
      request('team-a-ci', 'UploadLayerPart', 'team-a/app', part(2 ** 31)),
      false,
      ['layers-up-to-2-gib'],
    ],
    [
      'forbid the tag latest',
      request('team-a-ci', 'PutImage', 'team-a/app', image({ imageTag: 'latest' })),
      false,
      ['no-latest-tag'],
    ],
    [
      'let another tag pass',
      request('team-a-ci', 'PutImage', 'team-a/app', image({ imageTag: '1.0.0' })),
      true,
      ['team-a-pushes'],
    ],
    [
      'let an image without a tag pass',
      request('team-a-ci', 'PutImage', 'team-a/app', image()),
      true,
      ['team-a-pushes'],
    ],
  ])('%s', (_, asked, allowed, ids) => {
    const decision = policies.decide(asked);
    expect(decision.allowed).toBe(allowed);
    expect(decision.policies.map(({ id }) => id)).toEqual(ids);
    expect(decision.errors).toEqual([]);
  });

  it('give the forbidding policy’s message', () => {
    expect(
      policies.decide(request('team-a-ci', 'PutImage', 'team-a/app', image({ imageTag: 'latest' }))).policies,
    ).toEqual([
      { id: 'no-latest-tag', message: 'the tag latest is not allowed: push a tag that names a version' },
    ]);
  });
});

describe('a policy in audit mode', () => {
  const policies = load(`
      @id("all") permit (principal == Client::"a", action, resource);
      @id("soon") @mode("audit") @message("not for long")
      forbid (principal, action, resource) when { resource.name like "old/*" };
      @id("later") @mode("audit") permit (principal == Client::"b", action, resource);
      @id("odd") @mode("audit") forbid (principal, action == Action::"UploadLayerPart", resource)
      when { context.partLastByte * 9223372036854775807 > 0 };
      @id("now") @mode("enforce") forbid (principal, action, resource) when { resource.name == "x/y" };`);
  const initiate = (client: string, name: string) =>
    policies.decide(request(client, 'InitiateLayerUpload', name));

  it('that would refuse lets pass, and says what it would have said', () => {
    expect(initiate('a', 'old/app')).toEqual({
      allowed: true,
      policies: [{ id: 'all' }],
      errors: [],
      audit: { allowed: false, policies: [{ id: 'soon', message: 'not for long' }], errors: [] },
    });
  });

  it('that would permit lets nobody in', () => {
    expect(initiate('b', 'new/app')).toEqual({
      allowed: false,
      policies: [],
      errors: [],
      audit: { allowed: true, policies: [{ id: 'later' }], errors: [] },
    });
  });

  it('is silent where it would change nothing', () => {
    expect(initiate('a', 'new/app')).toEqual({ allowed: true, policies: [{ id: 'all' }], errors: [] });
    expect(initiate('c', 'old/app')).toEqual({ allowed: false, policies: [], errors: [] });
  });

  it('that fails refuses nobody either', () => {
    expect(
      policies.decide(request('a', 'UploadLayerPart', 'a/b', { partFirstByte: 0, partLastByte: 9 })),
    ).toMatchObject({
      allowed: true,
      errors: [],
      audit: { allowed: false, errors: [expect.stringContaining('odd')] },
    });
  });

  it('is one that says so: enforce is the other mode', () => {
    expect(initiate('a', 'x/y')).toMatchObject({ allowed: false, policies: [{ id: 'now' }] });
  });
});

describe('a policy directory', () => {
  it.each<[string, string, RegExp]>([
    ['a policy that does not parse', 'permit (principal', /test\.cedar/],
    [
      'a policy that speaks of what the schema does not have',
      '@id("odd") permit (principal, action, resource) when { resource.colour == "red" };',
      /odd: .*colour/,
    ],
    [
      'two policies of the same id',
      '@id("x") permit (principal, action, resource);\n@id("x") forbid (principal, action, resource);',
      /two policies have the id x/,
    ],
  ])('is refused for %s', (_, text, reason) => {
    expect(() => load(text)).toThrow(reason);
  });

  it('without a policy denies everything', () => {
    expect(load('').decide(request('team-a-ci', 'PutImage', 'team-a/app', image())).allowed).toBe(false);
  });

  it('names a policy without an id by its file and its number, also past the tenth', () => {
    const forbids = Array.from(
      { length: 12 },
      (_, n) => `forbid (principal == Client::"c${n + 1}", action, resource);`,
    );
    const policies = load(forbids.join('\n'));
    expect(policies.decide(request('c11', 'PutImage', 'a/b', image())).policies).toEqual([
      { id: 'test.cedar#11' },
    ]);
  });

  it('denies when a policy fails, because a forbid that fails must not let anybody in', () => {
    const policies = load(
      'permit (principal, action, resource);\n' +
        '@id("overflow") forbid (principal, action == Action::"UploadLayerPart", resource) ' +
        'when { context.partLastByte * 9223372036854775807 > 0 };',
    );
    const decision = policies.decide(
      request('c', 'UploadLayerPart', 'a/b', { partFirstByte: 0, partLastByte: 9 }),
    );
    expect(decision).toMatchObject({ allowed: false });
    expect(decision.errors[0]).toMatch(/overflow/);
  });
});
