// Clients that push one layer after the other, each through one front, whatever is killed meanwhile.

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECR, InvalidLayerPartException } from '@aws-sdk/client-ecr';
import { ProxyClient } from '../../client/proxy-client.ts';
import { Uploader } from '../../client/uploader.ts';
import type { Acknowledged } from '../load/kept.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

type Layer = { bytes: Buffer; digest: string };

/** Pushes once; `until` tries a single call again. @throws whatever breaks it off */
type Push = (layer: Layer, until: Until) => Promise<unknown>;

const repositoryName = 'team-a/app';
const sizes = [1_000, 1_048_576, 4_194_304, 4_194_305, 9_000_001, 12_582_912];
const pauseMs = 200;

/** How long a client tries after the last kill. Before that it goes on, for another kill may always come in between. */
const patienceMs = 600_000;

const throughUploader =
  (endpoint: string): Push =>
  ({ bytes, digest }) =>
    new Uploader(new ProxyClient({ endpoint, token: tokens.a })).pushLayer({
      repositoryName,
      source: (fromByte) => Readable.from([bytes.subarray(fromByte)]),
      layerDigest: digest,
    });

/** An AWS SDK whose upload goes on after each kill: every part that was acknowledged must still be there. */
function throughAwsApi(endpoint: string): Push {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any', sessionToken: tokens.a };
  const ecr = new ECR({ endpoint, region: 'proxy-1', credentials, maxAttempts: 2 });
  return async ({ bytes, digest }, until) => {
    const { uploadId, partSize = 0 } = await until(() => ecr.initiateLayerUpload({ repositoryName }));
    for (let first = 0; first < bytes.length; ) {
      const part = bytes.subarray(first, first + partSize);
      const sent = { partFirstByte: first, partLastByte: first + part.length - 1, layerPartBlob: part };
      const acknowledged = first;
      first = await until(() =>
        ecr.uploadLayerPart({ repositoryName, uploadId, ...sent }).then(
          ({ lastByteReceived = -1 }) => lastByteReceived + 1,
          (error: unknown) => {
            if (!(error instanceof InvalidLayerPartException)) {
              throw error;
            }
            const next = (error.lastValidByteReceived ?? -1) + 1;
            if (next < acknowledged) {
              throw new Lost(`${acknowledged} bytes were acknowledged, and ${next} are there`);
            }
            return next;
          },
        ),
      );
    }
    await until(() => ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests: [digest] }));
  };
}

/** As container tools do: one PATCH, and after a failure all of it again. */
const throughRegistry =
  (url: string): Push =>
  async ({ bytes, digest }) => {
    const headers = { authorization: `Basic ${Buffer.from(`any:${tokens.a}`).toString('base64')}` };
    const send = async (path: string, method: string, body?: Buffer) => {
      const answer = await fetch(new URL(path, url), {
        method,
        headers,
        ...(body && { body: new Uint8Array(body) }),
        signal: AbortSignal.timeout(120_000),
      });
      await answer.arrayBuffer();
      if (!answer.ok) {
        throw new Error(`${method} is answered ${answer.status}`);
      }
      return new URL(answer.headers.get('location') ?? '', url);
    };
    const begun = await send(`/v2/${repositoryName}/blobs/uploads/`, 'POST');
    const sent = await send(begun.href, 'PATCH', bytes);
    sent.searchParams.set('digest', digest);
    await send(sent.href, 'PUT');
  };

export const fronts = {
  'resource API': throughUploader,
  'AWS API': throughAwsApi,
  'registry endpoint': throughRegistry,
} as const satisfies Record<string, (url: string) => Push>;

/** What was acknowledged is gone: nothing helps. */
export class Lost extends Error {}

/** Tries a call again and again, as a user would. @throws Lost; the last failure, when the patience is over */
type Until = <T>(attempt: () => Promise<T>) => Promise<T>;

const untilOver =
  (isOver: () => boolean): Until =>
  async (attempt) => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof Lost || isOver()) {
          throw error;
        }
        await sleep(pauseMs);
      }
    }
  };

export type Pushers = {
  acknowledged: readonly Acknowledged[];
  /** After the layers that are under way, each of which has to succeed. */
  stop(): Promise<void>;
};

export function startPushers(pushes: readonly Push[]): Pushers {
  const acknowledged: Acknowledged[] = [];
  let givesUpAt = Number.POSITIVE_INFINITY;
  let made = 0;
  const until = untilOver(() => performance.now() > givesUpAt);
  const work = async (push: Push) => {
    while (givesUpAt === Number.POSITIVE_INFINITY) {
      const bytes = randomBytes(sizes[made++ % sizes.length] ?? 1);
      const layer = { bytes, digest: digestOf(bytes) };
      await until(() => push(layer, until));
      acknowledged.push({
        repositoryName,
        layerDigest: layer.digest,
        sizeBytes: bytes.length,
        image: undefined,
      });
    }
  };
  const working = Promise.all(pushes.map(work));
  // It is looked at when they are stopped.
  working.catch(() => {});
  return {
    acknowledged,
    stop: async () => {
      givesUpAt = performance.now() + patienceMs;
      await working;
    },
  };
}
