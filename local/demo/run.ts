// The demo itself, whatever it runs against: build an image, push it, pull it back, compare.

import { type Progress, progressBars, progressLines } from '../../client/push/progress.ts';
import { buildImage, type LayerPlan, layerPlans } from './image.ts';
import { compareWithRegistry, type Difference } from './pull.ts';
import { pushImage } from './push.ts';
import { tableOf } from './report.ts';

export type DemoOptions = {
  proxyUrl: string;
  /** A registry that serves what was pushed below `/v2/`. */
  ecrUrl: string;
  token: string;
  repositoryName: string;
  imageTag: string;
  seed: string;
  /** Files and blobs are written here. */
  directory: string;
  plans?: readonly LayerPlan[];
  /** Bars are for terminals only. */
  bars: boolean;
  print: (line: string) => void;
  signal?: AbortSignal;
};

/**
 * @returns where the image that came back differs from the one that was built; nothing when it is the same
 * @throws LayerProblem or ProxyProblem when it could not be pushed; the signal's reason
 */
export async function runDemo(options: DemoOptions): Promise<Difference[]> {
  const { proxyUrl, ecrUrl, token, repositoryName, imageTag, seed, directory, print, signal } = options;
  const plans = options.plans ?? layerPlans;
  print(`Building an image of ${plans.length} layers (DEMO_SEED=${seed} makes it again) …`);
  const image = await buildImage(directory, seed, { plans, signal });

  print(`Pushing ${repositoryName}:${imageTag} through ${proxyUrl} …`);
  const progress: Progress = options.bars ? progressBars() : progressLines(print);
  const started = performance.now();
  const rows = await pushImage(image, { proxyUrl, token, repositoryName, imageTag, progress, signal });
  const seconds = (performance.now() - started) / 1_000;

  print(`Pulling it back from ${ecrUrl} and hashing what comes …`);
  const differences = await compareWithRegistry(ecrUrl, repositoryName, imageTag, image, signal);
  print('');
  for (const line of tableOf(rows, seconds)) {
    print(line);
  }
  print('');
  return differences;
}
