// A quota from the policy directory to the answer over HTTP: what was synthesized counts, in the template's own table.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { policiesBeside } from '../support/policy-directory.ts';
import { randomBytes } from '../support/random-bytes.ts';
import { resourceApi } from '../support/resource-api.ts';
import { assemble } from '../support/stacks.ts';

const limit = P + 10;

let local: LocalStack;
beforeAll(async () => {
  const quotas = `- { name: a-day, client: team-a-ci, bytesPerDay: ${limit} }`;
  const policyDirectory = policiesBeside({ 'quotas.yaml': quotas });
  local = await startLocalStack({
    cdkOut: assemble({ repositories: { ecr: ['team-a/*'] }, policyDirectory }),
  });
});
afterAll(() => local?.close());

it('a part within the quota is taken, and one beyond it is refused by the quota’s name', async () => {
  const client = resourceApi(local.send);
  const layer = randomBytes(2 * P);
  const uploadId = await client.begin();
  expect((await client.uploadNth(uploadId, layer, 0)).status).toBe(200);
  const refused = await client.uploadNth(uploadId, layer, 1);
  expect(refused).toMatchObject({
    status: 429,
    body: { status: 429, code: 'QuotaExceededException', quota: 'a-day', used: P, limit },
  });
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await client.uploadPart(uploadId, P, layer.subarray(P, limit))).status).toBe(200);
});
