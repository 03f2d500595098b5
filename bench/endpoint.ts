// `npm run bench:endpoint`: the registry endpoint beside the AWS SDK by itself, and beside docker-registry.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { fronts } from '../test/clients/registry/fronts.ts';
import { skopeo } from '../test/clients/registry/tool-table.ts';
import { runCommands } from '../test/clients/registry/tools.ts';
import { startProxy } from '../test/support/bridge.ts';
import { writeSection } from '../test/support/kept-section.ts';
import { buildLayouts } from '../test/support/oci-layout.ts';
import { tokens } from '../test/support/resource-api.ts';
import { hasDockerRegistry, startDockerRegistry } from './docker-registry.ts';
import { cost } from './measured.ts';
import { measuring } from './server-process.ts';
import { memoryTableOf, type Sample, speedTableOf } from './table.ts';
import { pushAtOnce, repositoriesOf } from './uploads-at-once.ts';

const layerMiB = Number(process.env.LAYER_MIB ?? 1_024);
const runs = Number(process.env.RUNS ?? 3);
/** How many uploads the server's memory is measured with. */
const atOnce = [1, 8, 24];

const blob = z.object({ digest: z.string().startsWith('sha256:') });
const index = z.object({ manifests: z.tuple([blob]) });
const manifest = z.object({ config: blob, layers: z.array(blob) });

/** What a client of an image sends besides its manifest. */
async function blobsOf(layout: string): Promise<string[]> {
  const pathOf = ({ digest }: z.output<typeof blob>) => join(layout, 'blobs', digest.replace(':', '/'));
  const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
  const [root] = index.parse(await read(join(layout, 'index.json'))).manifests;
  const { config, layers } = manifest.parse(await read(pathOf(root)));
  return [...layers, config].map(pathOf);
}

/** Runs one of this folder's programs in a process of its own, which says what its work has cost. */
async function runMeasured(program: string, args: readonly string[]): Promise<Sample> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, program),
    ...args,
  ]);
  return cost.parse(JSON.parse(stdout));
}

const sdk = 'AWS SDK for JavaScript, straight to the stand-in';

/** By what a layer goes, in a repository that is new at each run. */
type Ways = Readonly<Record<string, (run: number) => Promise<Sample>>>;

/** In turn, so that what else the machine does meets all of them. */
async function measureInTurn(ways: Ways): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(Object.keys(ways).map((way) => [way, []]));
  for (let run = 1; run <= runs; run += 1) {
    for (const [way, measure] of Object.entries(ways)) {
      samples.get(way)?.push(await measure(run));
    }
  }
  return samples;
}

const repositoryOf = (way: string, run: number) => `team-a/${way}-${run}`;

async function measureAll(directory: string) {
  const { directories } = await buildLayouts(join(directory, 'layouts'), layerMiB * 1_048_576);
  const blobs = await blobsOf(directories.single);
  const repositories = [
    ...Array.from({ length: runs }, (_, at) => ['sdk', 'endpoint'].map((way) => repositoryOf(way, at + 1))),
    ...atOnce.map(repositoriesOf),
  ].flat();
  const proxy = await startProxy(join(directory, 'data'), repositories, { withRegistry: true });
  try {
    const front = await fronts.endpoint(proxy, tokens.a);
    const home = join(directory, 'home');
    await front.makeHome(home);
    const push = (host: string, repository: string) =>
      runCommands('skopeo', skopeo([])(`oci:${directories.single}:single`, `${host}/${repository}:1`), home);
    const measure = await measuring(proxy.registry().processId);
    const pushToRegistry = async (run: number) => {
      const registry = await startDockerRegistry(join(directory, `registry-${run}`));
      const measureRegistry = await measuring(registry.processId);
      return measureRegistry(() => push(registry.host, repositoryOf('docker', run))).finally(registry.close);
    };
    const speed = await measureInTurn({
      'the floor: both SHA-256 and base64': () => runMeasured('floor.ts', blobs),
      [sdk]: (run) => runMeasured('sdk-push.ts', [proxy.ecrUrl, repositoryOf('sdk', run), ...blobs]),
      'skopeo through the endpoint to the stand-in': (run) =>
        measure(() => push(front.host, repositoryOf('endpoint', run))),
      ...(hasDockerRegistry() && { 'skopeo to docker-registry': pushToRegistry }),
    });
    const memory = new Map<number, Sample>();
    for (const uploads of atOnce) {
      memory.set(uploads, await measure(() => pushAtOnce(front.url, uploads, join(directory, 'layer'))));
    }
    return { speed, memory };
  } finally {
    await proxy.close();
  }
}

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  const { speed, memory } = await measureAll(directory);
  const sections = {
    'speed of the endpoint': speedTableOf(speed, sdk, layerMiB),
    'memory of the endpoint': memoryTableOf(memory),
  };
  for (const [name, table] of Object.entries(sections)) {
    console.log(`${table}\n`);
    if (process.env.WRITE) {
      writeSection({ page: 'docs/registry-endpoint.md', name }, table);
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
