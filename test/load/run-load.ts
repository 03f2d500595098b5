// One front under load: many clients at once that push image after image until the time is over, and what they got.

import { Agent } from 'undici';
import { localTokens } from '../../local/secrets.ts';
import { digestOf } from '../support/random-bytes.ts';
import { type FrontName, fronts, uploadConfiguration } from './fronts.ts';
import { manifestOf, nextLayer } from './layers.ts';
import { Measurements } from './measurements.ts';
import { type ProcessUse, watchProcess } from './process-samples.ts';
import type { StackProcess } from './stack-process.ts';
import { Refused, TimeOver, VirtualClient } from './virtual-client.ts';

/** Clients of two teams, each in the repository that its policy gives it. */
const teams = [
  { token: localTokens['team-a-ci'], repositoryName: 'team-a/app' },
  { token: localTokens['team-b-ci'], repositoryName: 'team-b/app' },
] as const;

/** What a client was told is there. */
export type Acknowledged = {
  repositoryName: string;
  layerDigest: string;
  sizeBytes: number;
  /** None where the time was over, or the image was refused. */
  image: { tag: string; digest: string } | undefined;
};

export type LoadResult = {
  front: FrontName;
  clients: number;
  seconds: number;
  acknowledged: readonly Acknowledged[];
  measurements: Measurements;
  use: ProcessUse;
};

export type LoadOptions = { front: FrontName; clients: number; seconds: number };

export async function runLoad(
  stack: StackProcess,
  { front: name, clients, seconds }: LoadOptions,
): Promise<LoadResult> {
  const front = fronts[name];
  const url = stack.urls[name];
  const measurements = new Measurements();
  const acknowledged: Acknowledged[] = [];
  const agent = new Agent({ connections: clients, pipelining: 1 });
  let endsAtMs = Number.POSITIVE_INFINITY;
  const isOver = () => performance.now() > endsAtMs;
  const targets = teams.map(({ token, repositoryName }) => ({
    client: new VirtualClient(token, { measurements, agent, isOver }),
    url,
    repositoryName,
  }));
  for (const target of targets) {
    await uploadConfiguration(front, target);
  }

  const stopWatching = await watchProcess(stack.processIds[name]);
  const startedAt = performance.now();
  endsAtMs = startedAt + seconds * 1_000;

  const pushUntilOver = async (number: number) => {
    const target = targets[number % targets.length];
    if (target === undefined) {
      return;
    }
    while (!isOver()) {
      const layer = nextLayer();
      const { repositoryName } = target;
      const entry: Acknowledged = {
        repositoryName,
        layerDigest: layer.digest,
        sizeBytes: layer.bytes.length,
        image: undefined,
      };
      const tag = layer.digest.slice('sha256:'.length, 'sha256:'.length + 32);
      try {
        await front.uploadLayer(target, layer);
        acknowledged.push(entry);
        await front.putImage(target, layer, tag);
        entry.image = { tag, digest: digestOf(manifestOf(layer)) };
      } catch (error) {
        // Counted already, and the next image is tried; or begun too late.
        if (!(error instanceof Refused || error instanceof TimeOver)) {
          throw error;
        }
      }
    }
  };

  const pushing = Promise.all(Array.from({ length: clients }, (_, number) => pushUntilOver(number)));
  await Promise.race([pushing, new Promise((resolve) => setTimeout(resolve, seconds * 1_000))]);
  const use = await stopWatching();
  await pushing;
  await agent.close();
  return {
    front: name,
    clients,
    seconds: (performance.now() - startedAt) / 1_000,
    acknowledged,
    measurements,
    use,
  };
}
