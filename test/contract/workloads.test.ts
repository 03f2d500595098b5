// OIDC tokens from token to ECR: those of the issuers that examples/policies has policies for, signed here.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Issuer } from '../../api/issuers.ts';
import { startInProcess } from '../support/in-process.ts';
import { type Json, signToken, startIssuer, type TestIssuer } from '../support/issuer.ts';
import { startLocalStack } from '../support/local-stack.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { resourceApi } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

const root = join(import.meta.dirname, '../..');

type Sample = {
  name: string;
  /** As the sample's policy has it. */
  issuer: string;
  trusted: Pick<Issuer, 'audience' | 'audienceClaim'>;
  claims: Json;
  /** Claims with which the same workload may not push. */
  denied: Json[];
};

const github = {
  sub: 'repo:team-a/app:ref:refs/heads/main',
  repository: 'team-a/app',
  repository_id: '7654321',
  repository_owner: 'team-a',
  repository_owner_id: '1234567',
  repository_visibility: 'private',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: 'true',
  sha: '0000000000000000000000000000000000000000',
  run_id: '1234567890',
  run_attempt: '1',
  actor: 'octocat',
  workflow: 'build',
  event_name: 'push',
  job_workflow_ref: 'team-a/app/.github/workflows/build.yml@refs/heads/main',
  runner_environment: 'github-hosted',
};

const samples: Sample[] = [
  {
    name: 'github-actions',
    issuer: 'https://token.actions.githubusercontent.com',
    trusted: { audience: ['https://ecr-upload-proxy.example.com'], audienceClaim: 'aud' },
    claims: { ...github, aud: 'https://ecr-upload-proxy.example.com' },
    denied: [
      { repository: 'team-a/big' },
      { ref: 'refs/heads/feature' },
      { repository_owner_id: '666' },
      { repository_owner_id: 1_234_567.5 },
      { ref_protected: 'false' },
      { event_name: 'pull_request_target' },
      { event_name: 'workflow_run' },
    ],
  },
  {
    name: 'gitlab-ci',
    issuer: 'https://gitlab.example.com',
    trusted: { audience: ['https://ecr-upload-proxy.example.com'], audienceClaim: 'aud' },
    claims: {
      aud: 'https://ecr-upload-proxy.example.com',
      sub: 'project_path:team-a/app:ref_type:branch:ref:main',
      namespace_id: '42',
      namespace_path: 'team-a',
      project_path: 'team-a/app',
      project_id: '22',
      user_login: 'somebody',
      pipeline_source: 'push',
      ref: 'main',
      ref_type: 'branch',
      ref_protected: 'true',
      groups_direct: ['team-a'],
      runner_environment: 'self-hosted',
    },
    denied: [
      { namespace_id: '666' },
      { project_path: 'team-b/app' },
      { ref_protected: 'false' },
      { pipeline_source: 'merge_request_event' },
    ],
  },
  {
    name: 'kubernetes',
    issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE',
    trusted: { audience: ['ecr-upload-proxy'], audienceClaim: 'aud' },
    claims: {
      aud: ['ecr-upload-proxy'],
      sub: 'system:serviceaccount:team-a:builder',
      jti: 'e7dd1a5b-0000-4000-8000-000000000000',
      'kubernetes.io': {
        namespace: 'team-a',
        pod: { name: 'builder-0', uid: '0' },
        serviceaccount: { name: 'builder', uid: '3c6f5f4c-0000-4000-8000-000000000000' },
      },
    },
    denied: [
      {
        'kubernetes.io': { serviceaccount: { name: 'builder', uid: '66666666-0000-4000-8000-000000000000' } },
      },
      { 'kubernetes.io': null },
      { sub: 'system:serviceaccount:team-a:default' },
      { sub: 'system:serviceaccount:team-b:builder' },
    ],
  },
  {
    name: 'cognito',
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE',
    trusted: { audience: ['1example23456789'], audienceClaim: 'client_id' },
    claims: {
      aud: undefined,
      nbf: undefined,
      sub: '1example23456789',
      client_id: '1example23456789',
      token_use: 'access',
      scope: 'ecr-upload-proxy/read ecr-upload-proxy/push',
      version: 2,
    },
    denied: [
      { scope: 'ecr-upload-proxy/read' },
      { scope: 'ecr-upload-proxy/pushy' },
      { sub: '0b1c2d3e-0000-4000-8000-000000000000' },
    ],
  },
];

let issuer: TestIssuer;
beforeEach(async () => {
  issuer = await startIssuer();
});
afterEach(() => issuer.close());

/** The sample's policy, of this test's issuer. */
function samplePolicies({ name, issuer: named }: Sample): string {
  const text = readFileSync(join(root, 'examples/policies', name, `${name}.cedar`), 'utf8');
  expect(text).toContain(`principal.issuer == "${named}"`);
  return policiesOf({ [`${name}.cedar`]: text.replaceAll(`"${named}"`, `"${issuer.issuer}"`) });
}

describe('a workload', () => {
  it.each(samples.map((sample) => [sample.name, sample] as const))(
    'of %s pushes what its policy allows, and nothing else',
    async (_, sample) => {
      const proxy = await startInProcess({
        issuers: [{ issuer: issuer.issuer, ...sample.trusted }],
        policyDirectory: samplePolicies(sample),
      });
      try {
        const as = (claims: Json, repositoryName?: string) =>
          resourceApi(
            proxy.send,
            signToken(issuer.key, issuer.claims({ ...sample.claims, ...claims })),
            repositoryName,
          );
        const layer = randomBytes(1_000);
        const uploadId = await as({}).begin();
        // Another token of the same workload goes on with the upload; one of another subject cannot.
        expect((await as({ iat: 1 }).uploadPart(uploadId, 0, layer)).status).toBe(200);
        expect(await as({}).complete(uploadId, digestOf(layer))).toMatchObject({ status: 201 });
        expect(await as({}, 'team-b/app').initiate()).toMatchObject({ status: 403 });
        for (const claims of sample.denied) {
          expect(await as(claims).initiate()).toMatchObject({ status: 403, body: { policies: [] } });
        }
      } finally {
        await proxy.close();
      }
    },
  );

  const trusted = () => [
    { issuer: issuer.issuer, audience: ['ecr-upload-proxy'], audienceClaim: 'aud' as const },
  ];

  it('gets a 403 with the claims that were received, none too long and not too many', async () => {
    const proxy = await startInProcess({ issuers: trusted() });
    const claims = { repository: 'x/y', long: 'x'.repeat(2_000), groups: ['a', 'b'] };
    const { body } = await resourceApi(proxy.send, signToken(issuer.key, issuer.claims(claims))).initiate();
    expect(body).toMatchObject({
      status: 403,
      code: 'AccessDeniedException',
      policies: [],
      claims: { repository: 'x/y', groups: ['a', 'b'], long: `${'x'.repeat(256)}…` },
    });
    expect(body.detail).toBe(
      `No policy lets this workload (issuer ${issuer.issuer}, subject repo:team-a/app:ref:refs/heads/main) ` +
        'do InitiateLayerUpload in team-a/app.',
    );
    await proxy.close();
  });

  it('cannot use an upload id of another workload, nor of a client', async () => {
    const policyDirectory = policiesOf({ 'all.cedar': 'permit (principal, action, resource);' });
    const proxy = await startInProcess({ issuers: trusted(), policyDirectory });
    const as = (sub: string) => resourceApi(proxy.send, signToken(issuer.key, issuer.claims({ sub })));
    const uploadId = await as('one').begin();
    for (const other of [as('two'), resourceApi(proxy.send)]) {
      expect(await other.uploadPart(uploadId, 0, randomBytes(9))).toMatchObject({ status: 404 });
    }
    expect((await as('one').uploadPart(uploadId, 0, randomBytes(9))).status).toBe(200);
    await proxy.close();
  });

  it('whose issuer cannot be reached is answered 503 with Retry-After', async () => {
    const proxy = await startInProcess({ issuers: trusted() });
    issuer.state.status = 503;
    const { status, body, headers } = await resourceApi(
      proxy.send,
      signToken(issuer.key, issuer.claims()),
    ).initiate();
    expect(status).toBe(503);
    expect(body.detail).toContain('keys of the token’s issuer');
    expect(headers.get('retry-after')).not.toBeNull();
    await proxy.close();
  });

  it('is known in the bundles that deploy, and told that no policy is for it', async () => {
    const { send, close } = await startLocalStack({ issuers: trusted() });
    const answer = await resourceApi(send, signToken(issuer.key, issuer.claims())).initiate();
    expect(answer).toMatchObject({ status: 403, body: { claims: { iss: issuer.issuer } } });
    const forged = signToken(issuer.key, issuer.claims({ aud: 'other' }));
    expect(await resourceApi(send, forged).initiate()).toMatchObject({ status: 401 });
    await close();
  }, 300_000);
});
