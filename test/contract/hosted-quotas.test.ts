// Quotas of uploads whose parts go to ECR as they come: counted part by part, each byte that is kept once.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bodyOf, callerOf, hostedInstance, noBody } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { manifestOf, ociManifest } from '../support/manifests.ts';
import { policiesBeside } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const MiB = 1_048_576;
const repositoryName = 'team-a/app';

let stack: InProcess;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  // Midday, so that no test runs into the next day by chance.
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T12:00:00Z') });
  const quota = `- { name: a-day, client: team-a-ci, bytesPerDay: ${20 * MiB} }
- { name: device, client: team-a-device, bytesPerDay: 100000 }`;
  stack = await startInProcess({
    policyDirectory: policiesBeside({ 'quotas.yaml': quota }),
    quotaTable: 'quotas',
  });
});
afterAll(async () => {
  vi.useRealTimers();
  await stack.close();
});

describe('a quota that is nearly used', () => {
  const small = randomBytes(10);
  const warnings: string[] = [];
  const open = () => {
    const warn = (text: string) => void warnings.push(text);
    return hostedInstance(stack).open(callerOf(tokens.pushOnly, { warn }));
  };
  const push = async (bytes: Uint8Array) => {
    const port = await open();
    const { reference } = await port.begin(repositoryName);
    await port.finish(repositoryName, reference, digestOf(bytes), bodyOf(bytes));
  };
  const putTagged = async (tag: string) => {
    const manifest = manifestOf(small, [small], { annotations: { tag } });
    const bytes = Buffer.from(manifest);
    const digest = digestOf(manifest);
    await (await open()).putManifest(repositoryName, { tag, digest, mediaType: ociManifest, bytes });
  };

  it('is told with an image, from 90 % on', async () => {
    await push(small);
    await putTagged('1.0');
    await push(randomBytes(90_000));
    expect(warnings).toEqual([]);
    await putTagged('1.1');
    expect(warnings).toEqual([
      expect.stringMatching(
        /^9\d{4} of the 100000 bytes that the quota device allows a day are used\. It resets at 2026-11-22T00:00/,
      ),
    ]);
  });
});

describe('a quota of bytes', () => {
  it('is counted as parts go to ECR, not again where an answer was lost, and refuses in the middle of a body', async () => {
    const port = await hostedInstance(stack).open(callerOf());
    const bytes = randomBytes(12 * MiB);
    const begun = await port.begin(repositoryName);
    const first = await port.append(repositoryName, begun.reference, bodyOf(bytes.subarray(0, 6 * MiB)));
    await stack.arm({ operation: 'UploadLayerPart', fault: 'drop-after', times: 4 });
    const rest = bytes.subarray(6 * MiB);
    const state = await port.append(repositoryName, first.reference, bodyOf(rest));
    // The client did not hear of it, and asks and sends again.
    await port.status(repositoryName, first.reference);
    await port.append(repositoryName, first.reference, bodyOf(rest));
    await port.finish(repositoryName, state.reference, digestOf(bytes), noBody);

    const tooMuch = randomBytes(9 * MiB);
    const { reference } = await port.begin(repositoryName);
    await expect(port.append(repositoryName, reference, bodyOf(tooMuch))).rejects.toMatchObject({
      code: 'QuotaExceededException',
      members: { quota: 'a-day', used: 12 * MiB, limit: 20 * MiB },
    });
  });
});
