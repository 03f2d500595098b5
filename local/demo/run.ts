// The demo itself, whatever it runs against: build an image, push it through each API, pull it back, compare.

import { ProxyClient } from '../../client/proxy-client.ts';
import { chooseImages } from '../../client/push/choice.ts';
import { progressBars, progressLines } from '../../client/push/progress.ts';
import { pushImages } from '../../client/push/push-images.ts';
import { openSource } from '../../client/push/source.ts';
import { Uploader } from '../../client/uploader.ts';
import { buildImage, type Image, type LayerPlan, layerPlans } from './image.ts';
import { compareWithRegistry, type Difference } from './pull.ts';
import { pushToRegistry } from './registry-push.ts';
import { tableOf } from './report.ts';

/** How many layers are under way at once. */
const jobs = 4;

type DemoOptions = {
  proxyUrl: string;
  registryUrl: string;
  /** A registry that serves what was pushed below `/v2/`. */
  ecrUrl: string;
  token: string;
  repositoryName: string;
  /** What is pushed through the registry endpoint, by another repository: nothing of it is at ECR before. */
  registryRepositoryName: string;
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
 * @returns where an image that came back differs from the one that was built; nothing when both are the same
 * @throws LayerProblem or ProxyProblem when it could not be pushed; the signal's reason
 */
export async function runDemo(options: DemoOptions): Promise<Difference[]> {
  const { proxyUrl, registryUrl, ecrUrl, repositoryName, registryRepositoryName, imageTag } = options;
  const { seed, directory, print, signal } = options;
  const plans = options.plans ?? layerPlans;
  print(`Building an image of ${plans.length} layers (DEMO_SEED=${seed} makes it again) …`);
  const image = await buildImage(directory, seed, { plans, signal });

  print(`Pushing ${repositoryName}:${imageTag} through ${proxyUrl}, as "ecr-upload-proxy push" does …`);
  const [{ layers }, seconds] = await timed(() => push(options));

  const { host } = new URL(registryUrl);
  print(`Pushing ${host}/${registryRepositoryName}:${imageTag} as "docker push" does, with no bridge …`);
  const toRegistry = { ...options, repositoryName: registryRepositoryName };
  const [, registrySeconds] = await timed(() => pushToRegistry(image, toRegistry));

  print(`Pulling both back from ${ecrUrl} and hashing what comes …`);
  const differences: Difference[] = [];
  for (const name of [repositoryName, registryRepositoryName]) {
    differences.push(...(await compareWithRegistry(ecrUrl, name, imageTag, image, signal)));
  }
  print('');
  for (const line of tableOf(layers, namesOf(image), seconds, registrySeconds)) {
    print(line);
  }
  print('');
  return differences;
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, seconds: number]> {
  const started = performance.now();
  return [await work(), (performance.now() - started) / 1_000];
}

/** By digest. */
const namesOf = ({ config, layers }: Image): ReadonlyMap<string, string> =>
  new Map([config, ...layers].map(({ digest, name }) => [digest, name]));

/** As `ecr-upload-proxy push` does it: the layout is read, and its image pushed. */
async function push({
  proxyUrl,
  token,
  repositoryName,
  imageTag,
  directory,
  bars,
  print,
  signal,
}: DemoOptions) {
  const images = await openSource(directory, { input: process.stdin, signal });
  try {
    return await pushImages(await chooseImages(images, { tag: imageTag }), {
      uploader: new Uploader(new ProxyClient({ endpoint: proxyUrl, token, signal })),
      destination: { repositoryName },
      jobs,
      progress: bars ? progressBars() : progressLines(print),
      signal: signal ?? new AbortController().signal,
    });
  } finally {
    await images.close();
  }
}
