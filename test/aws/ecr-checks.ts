// The checks that ask Amazon ECR itself, with the operator's own credentials.

import { randomBytes } from 'node:crypto';
import { probeByte } from '../../api/registries.ts';
import { digestOf } from '../support/random-bytes.ts';
import type { Check, Deployment, Finding } from './check.ts';

const MiB = 1_048_576;
const far = 33_600 * MiB;

async function begin({ ecr, repositoryName }: Deployment) {
  const { uploadId = '' } = await ecr.initiateLayerUpload({ repositoryName });
  return { repositoryName, uploadId };
}

const put = (
  { ecr }: Deployment,
  upload: { repositoryName: string; uploadId: string },
  partFirstByte: number,
  layerPartBlob: Uint8Array,
  partLastByte = partFirstByte + layerPartBlob.length - 1,
) => ecr.uploadLayerPart({ ...upload, partFirstByte, partLastByte, layerPartBlob });

type Refusal = { name: string; status: number | undefined; last: unknown };

/** What a call is refused with; `name` is empty when it is not. */
const refusalOf = async (call: Promise<unknown>): Promise<Refusal> =>
  call.then(
    () => ({ name: '', status: 200, last: undefined }),
    (failure: Error & { $metadata?: { httpStatusCode?: number }; lastValidByteReceived?: number }) => ({
      name: failure.name,
      status: failure.$metadata?.httpStatusCode,
      last: failure.lastValidByteReceived,
    }),
  );

const written = ({ name, status, last }: Refusal) =>
  name ? `${name}, ${status}${last === undefined ? '' : `, lastValidByteReceived ${last}`}` : 'success';

const finding = (holds: boolean | undefined, refusal: Refusal): Finding => ({ holds, saw: written(refusal) });

/** A layer, sent in parts of the given size and completed. */
async function push(deployment: Deployment, layer: Uint8Array, partSize: number) {
  const upload = await begin(deployment);
  for (let first = 0; first < layer.length; first += partSize) {
    await put(deployment, upload, first, layer.subarray(first, first + partSize));
  }
  const completion = { ...upload, layerDigests: [digestOf(layer)] };
  await deployment.ecr.completeLayerUpload(completion);
  return completion;
}

export const ecrChecks: readonly Check[] = [
  {
    row: 1,
    needs: 'ecr',
    run: async (deployment) => {
      const upload = await begin(deployment);
      await put(deployment, upload, 0, randomBytes(5 * MiB));
      const refusal = await refusalOf(put(deployment, upload, 10 * MiB, randomBytes(1)));
      await put(deployment, upload, 5 * MiB, randomBytes(1));
      return finding(refusal.name === 'InvalidLayerPartException' && refusal.last === 5 * MiB - 1, refusal);
    },
  },
  {
    row: 2,
    needs: 'ecr',
    run: async (deployment) => {
      const upload = await begin(deployment);
      await put(deployment, upload, 0, randomBytes(5 * MiB));
      const refusal = await refusalOf(put(deployment, upload, far, randomBytes(1)));
      return finding(refusal.name === 'InvalidLayerPartException', refusal);
    },
  },
  {
    row: 3,
    needs: 'ecr',
    run: async (deployment) => {
      const refusal = await refusalOf(put(deployment, await begin(deployment), 5 * MiB, randomBytes(1)));
      const known = [undefined, -1, 0].some((last) => last === refusal.last);
      return finding(refusal.name === 'InvalidLayerPartException' && known, refusal);
    },
  },
  {
    row: 4,
    needs: 'ecr',
    run: async (deployment) => {
      const refusal = await refusalOf(push(deployment, randomBytes(20), 5 * MiB));
      return finding(refusal.name === '', refusal);
    },
  },
  {
    row: 5,
    needs: 'ecr',
    run: async (deployment) => {
      const refusal = await refusalOf(push(deployment, randomBytes(20 * MiB), 8 * MiB));
      return finding(refusal.name === '', refusal);
    },
  },
  {
    row: 6,
    needs: 'ecr',
    run: async (deployment) => {
      const completion = await push(deployment, randomBytes(20), MiB);
      const refusal = await refusalOf(deployment.ecr.completeLayerUpload(completion));
      return finding(refusal.name === 'UploadNotFoundException', refusal);
    },
  },
  {
    row: 7,
    needs: 'ecr',
    run: async (deployment) => {
      const upload = await begin(deployment);
      const layer = randomBytes(20);
      await put(deployment, upload, 0, layer);
      const complete = (digest: string) =>
        refusalOf(deployment.ecr.completeLayerUpload({ ...upload, layerDigests: [digest] }));
      const wrong = await complete(digestOf('another layer'));
      const right = await complete(digestOf(layer));
      return { holds: right.name === '', saw: `${written(wrong)}; then ${written(right)}` };
    },
  },
  {
    row: 9,
    needs: 'ecr',
    run: async (deployment) => {
      const { uploadId } = await begin(deployment);
      return { holds: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uploadId), saw: uploadId };
    },
  },
  {
    row: 10,
    needs: 'ecr',
    run: async ({ ecr, repositoryName }) => {
      const refusal = await refusalOf(
        ecr.completeLayerUpload({
          repositoryName,
          uploadId: '00000000-0000-0000-0000-000000000000',
          layerDigests: [digestOf('')],
        }),
      );
      return finding(refusal.status === 400, refusal);
    },
  },
  {
    row: 30,
    needs: 'ecr',
    run: async ({ ecr, repositoryName }) => {
      const layerDigests = [digestOf(randomBytes(20))];
      const { layers = [], failures = [] } = await ecr.batchCheckLayerAvailability({
        repositoryName,
        layerDigests,
      });
      return {
        holds: layers[0]?.layerAvailability === 'UNAVAILABLE' && failures.length === 0,
        saw: JSON.stringify({ layers, failures }),
      };
    },
  },
  {
    row: 31,
    needs: 'ecr',
    run: async (deployment) => {
      const refusal = await refusalOf(put(deployment, await begin(deployment), 0, randomBytes(20), 25));
      return finding(refusal.name === 'InvalidLayerPartException', refusal);
    },
  },
  {
    row: 34,
    needs: 'ecr',
    run: async (deployment) => {
      const layer = randomBytes(20);
      await push(deployment, layer, MiB);
      const { layers = [] } = await deployment.ecr.batchCheckLayerAvailability({
        repositoryName: deployment.repositoryName,
        layerDigests: [digestOf(layer)],
      });
      return { holds: undefined, saw: `mediaType ${layers[0]?.mediaType ?? 'absent'}` };
    },
  },
  {
    row: 65,
    needs: 'ecr',
    run: async (deployment) => {
      const upload = await begin(deployment);
      await put(deployment, upload, 0, randomBytes(5 * MiB));
      const refusal = await refusalOf(put(deployment, upload, probeByte('ecr'), randomBytes(1)));
      return finding(refusal.name === 'InvalidLayerPartException' && refusal.last === 5 * MiB - 1, refusal);
    },
  },
  {
    row: 66,
    needs: 'ecr',
    run: async (deployment) => {
      const upload = await begin(deployment);
      const part = randomBytes(5 * MiB);
      const both = await Promise.all([0, 1].map(() => refusalOf(put(deployment, upload, 0, part))));
      const names = both.map(({ name }) => name).sort();
      return {
        holds: names.join() === ',InvalidLayerPartException',
        saw: both.map(written).join('; '),
      };
    },
  },
  {
    row: 68,
    needs: 'ecr',
    run: async ({ ecr }) => {
      const repositoryName = `none/${randomBytes(8).toString('hex')}`;
      const layerDigests = [digestOf(randomBytes(20))];
      const refusal = await refusalOf(ecr.batchCheckLayerAvailability({ repositoryName, layerDigests }));
      return finding(refusal.name === 'RepositoryNotFoundException', refusal);
    },
  },
];
