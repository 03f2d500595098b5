// One front under load: many clients at once that push image after image until the time is over, and what they got.

import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { localTokens } from '../../local/services/secrets.ts';
import { digestOf } from '../support/random-bytes.ts';
import { type FrontName, fronts, type Target, uploadConfiguration } from './fronts.ts';
import { type Acknowledged, findLost } from './kept.ts';
import { manifestOf, nextLayer } from './layers.ts';
import { Measurements } from './measurements.ts';
import { type ProcessUse, watchProcess } from './process-samples.ts';
import type { StackProcess } from './stack-process.ts';
import { Refused, TimeOver, VirtualClient } from './virtual-client.ts';

/** They push an image each before memory is looked at, so that all instances have been at work. */
const warmingClients = 16;

/** Clients of two teams, each in the repository that its policy gives it. */
const teams = [
  { token: localTokens['team-a-ci'], repositoryName: 'team-a/app' },
  { token: localTokens['team-b-ci'], repositoryName: 'team-b/app' },
] as const;

export type LoadResult = {
  front: FrontName;
  clients: number;
  seconds: number;
  acknowledged: readonly Acknowledged[];
  /** What was acknowledged and is not there, each in a sentence. */
  lost: readonly string[];
  measurements: Measurements;
  use: ProcessUse;
};

export type LoadOptions = { front: FrontName; clients: number; seconds: number };

/** @throws what is no answer of the front: nothing of that is expected */
export async function runLoad(
  stack: StackProcess,
  { front: name, clients, seconds }: LoadOptions,
): Promise<LoadResult> {
  const front = fronts[name];
  const measurements = new Measurements();
  const acknowledged: Acknowledged[] = [];
  const agent = new Agent({ connections: clients, pipelining: 1 });
  let endsAtMs = Number.POSITIVE_INFINITY;
  const isOver = () => performance.now() > endsAtMs;
  const load = { measurements, agent, isOver };
  const targets = teams.map(({ token, repositoryName }) => ({
    client: new VirtualClient(token, load),
    url: stack.urls[name],
    repositoryName,
  }));

  const pushImage = async (target: Target) => {
    const layer = nextLayer();
    const { digest: layerDigest, bytes } = layer;
    const { repositoryName } = target;
    const entry: Acknowledged = { repositoryName, layerDigest, sizeBytes: bytes.length, image: undefined };
    const tag = layerDigest.slice(-32);
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
  };
  const pushUntilOver = async (target: Target) => {
    while (!isOver()) {
      await pushImage(target);
    }
  };
  /** @returns when all of so many clients are done */
  const all = (count: number, work: (target: Target) => Promise<void>) =>
    Promise.all(
      targets.flatMap((target) => Array.from({ length: count / targets.length }, () => work(target))),
    );

  for (const target of targets) {
    await uploadConfiguration(front, target);
  }
  await all(warmingClients, pushImage);
  const stopWatching = await watchProcess(stack.processIds[name]);
  const startedAt = performance.now();
  endsAtMs = startedAt + seconds * 1_000;
  const pushing = all(clients, pushUntilOver);
  await Promise.race([pushing, delay(seconds * 1_000)]);
  const use = await stopWatching();
  await pushing;
  const took = (performance.now() - startedAt) / 1_000;
  await agent.close();
  const lost = await findLost(stack.ecrUrl, acknowledged);
  return { front: name, clients, seconds: took, acknowledged, lost, measurements, use };
}
