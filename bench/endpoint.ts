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
import { startDockerRegistry } from './docker-registry.ts';
import { cost } from './measured.ts';
import { measuring } from './server-process.ts';
import { type Sample, tableOf } from './table.ts';

const layerMiB = Number(process.env.LAYER_MIB ?? 1_024);
const runs = Number(process.env.RUNS ?? 3);

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

async function measureAll(directory: string): Promise<Map<string, Sample[]>> {
  const { directories } = await buildLayouts(join(directory, 'layouts'), layerMiB * 1_048_576);
  const blobs = await blobsOf(directories.single);
  const numbers = Array.from({ length: runs }, (_, at) => at + 1);
  const nameOf = (way: string, run: number) => `team-a/${way}-${run}`;
  const repositories = numbers.flatMap((run) => [nameOf('sdk', run), nameOf('endpoint', run)]);
  const proxy = await startProxy(join(directory, 'data'), repositories, { withRegistry: true });
  const registry = await startDockerRegistry(directory);
  try {
    const front = await fronts.endpoint(proxy, tokens.a);
    const home = join(directory, 'home');
    await front.makeHome(home);
    const push = (host: string, name: string) =>
      runCommands('skopeo', skopeo([])(`oci:${directories.single}:single`, `${host}/${name}`), home);
    const [endpoint, docker] = [
      await measuring(proxy.registry().processId),
      registry && { host: registry.host, measure: await measuring(registry.processId) },
    ];
    const ways: Record<string, (run: number) => Promise<Sample>> = {
      'the floor: both SHA-256 and base64': () => runMeasured('floor.ts', blobs),
      'AWS SDK for JavaScript, straight to the stand-in': (run) =>
        runMeasured('sdk-push.ts', [proxy.ecrUrl, nameOf('sdk', run), ...blobs]),
      'skopeo through the endpoint to the stand-in': (run) =>
        endpoint(() => push(front.host, `${nameOf('endpoint', run)}:1`)),
      ...(docker && {
        'skopeo to docker-registry': (run: number) =>
          docker.measure(() => push(docker.host, `${nameOf('docker', run)}:1`)),
      }),
    };
    const samples = new Map<string, Sample[]>(Object.keys(ways).map((way) => [way, []]));
    // In turn, so that what else the machine does meets all of them.
    for (const run of numbers) {
      for (const [way, measure] of Object.entries(ways)) {
        samples.get(way)?.push(await measure(run));
      }
    }
    return samples;
  } finally {
    await registry?.close();
    await proxy.close();
  }
}

const directory = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  const table = tableOf(await measureAll(directory), layerMiB);
  console.log(table);
  if (process.env.WRITE) {
    writeSection({ page: 'docs/registry-endpoint.md', name: 'speed of the endpoint' }, table);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
