// Completions of one upload in any order, of which ECR refuses some and others are lost: none claims another's layer.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fuzzed } from '../support/fuzzing.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { resourceApi } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

let proxy: InProcess;
beforeAll(async () => {
  proxy = await startInProcess();
});
afterAll(() => proxy?.close());

/** A layer of the repository that another upload has made, and one that is nowhere. */
const other = randomBytes(10);
const nowhere = digestOf('nowhere');

const faults = ['drop-before', 'drop-after'] as const;
/** All attempts that the SDK makes. */
const attempts = 3;

const completions = fc.array(
  fc.record({
    named: fc.uniqueArray(fc.constantFrom('own', 'other', 'nowhere'), { minLength: 1 }),
    fault: fc.option(fc.constantFrom(...faults), { freq: 3, nil: undefined }),
  }),
  { minLength: 2, maxLength: 6 },
);

it('a completion that succeeds names the upload’s own layer, and succeeds again', async () => {
  const client = resourceApi(proxy.send);
  const uploadOf = async (layer: Buffer) => {
    const uploadId = await client.begin();
    await client.uploadPart(uploadId, 0, layer);
    return uploadId;
  };
  await client.complete(await uploadOf(other), digestOf(other));
  await fc.assert(
    fc.asyncProperty(completions, async (all) => {
      const layer = randomBytes(11);
      const uploadId = await uploadOf(layer);
      const digests = { own: digestOf(layer), other: digestOf(other), nowhere };
      for (const { named, fault } of all) {
        const layerDigests = named.map((name) => digests[name]);
        if (fault) {
          await proxy.arm({ operation: 'CompleteLayerUpload', fault, times: attempts });
        }
        const answer = await client.complete(uploadId, ...layerDigests);
        await proxy.disarm();
        if (answer.status !== 201) {
          continue;
        }
        expect(answer.body.layerDigest).toBe(digests.own);
        const again = await client.complete(uploadId, ...layerDigests);
        // Of two layers nobody knows any more which was this upload's.
        if (named.includes('other')) {
          expect(again.status).toBe(409);
        } else {
          expect(again.body).toEqual(answer.body);
        }
      }
    }),
    fuzzed(60),
  );
});
