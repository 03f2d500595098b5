// Each tool of the table, and docker's engine, pushes a layout of one image: what tests of failures have in common.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayeredLayout } from '../../support/layered-layout.ts';
import { tokens } from '../../support/resource-api.ts';
import { engines, probe, startEngine } from './engine.ts';
import { writeLogins } from './fronts.ts';
import { tools } from './tool-table.ts';
import { lacks, runCommands, runTool } from './tools.ts';

/** `home` is a folder of the push's own; `name` is of an image at `host`. */
export type Push = (what: {
  layout: LayeredLayout;
  name: string;
  host: string;
  home: string;
}) => Promise<void>;

export type Pusher = {
  name: string;
  push: Push;
  /** It makes layers and manifests of its own: what it pushes has another digest. */
  rewrites: boolean;
  stop(): Promise<void>;
};

/** podman takes no upper-case letters in the path of a layout, and of its own no more than 50 characters. */
export async function shortDirectory(): Promise<string> {
  const directory = join(tmpdir(), `p-${randomBytes(4).toString('hex')}`);
  await mkdir(directory);
  return directory;
}

const login = { auth: Buffer.from(`any:${tokens.a}`).toString('base64') };

function ofTable(name: string): Pusher {
  const { push, rewrites = false } = tools[name] ?? { push: { single: undefined } };
  let runs = 0;
  return {
    name,
    rewrites,
    push: async ({ layout, name: image, host, home }) => {
      await writeLogins(home, { [host]: login });
      runs += 1;
      const places = { layout: layout.directory, name: image, host, storage: join(home, `${runs}`) };
      await runCommands(name, push.single?.(places) ?? [], home);
    },
    stop: async () => {},
  };
}

/** Its own engine, with the classic store. @returns undefined where it cannot run */
async function startDocker(directory: string): Promise<Pusher | undefined> {
  const engine = engines.find(({ name }) => name === 'classic');
  if (!engine || 'reason' in (await probe(engine)) || lacks('skopeo')) {
    return undefined;
  }
  const home = join(directory, 'docker');
  const { docker, stop } = await startEngine(engine, home);
  const loaded = new Set<string>();
  return {
    name: 'docker',
    rewrites: true,
    push: async ({ layout, name: image, host, home: ownHome }) => {
      await writeLogins(home, { [host]: login });
      if (!loaded.has(image)) {
        loaded.add(image);
        const archive = join(ownHome, 'archive.tar');
        const source = `oci:${layout.directory}:single`;
        await runTool('skopeo', ['copy', source, `docker-archive:${archive}:${image}`, '--insecure-policy'], {
          home: ownHome,
        });
        await docker('load', '--input', archive);
      }
      await docker('push', image);
    },
    stop,
  };
}

/** @param all every tool that there is, docker's engine among them; otherwise those of the sample */
export async function startPushers(
  directory: string,
  sample: readonly string[],
  all: boolean,
): Promise<Pusher[]> {
  const names = Object.keys(tools).filter((name) =>
    all ? tools[name]?.push.single && !lacks(name) : sample.includes(name),
  );
  const docker = all ? await startDocker(directory) : undefined;
  return [...names.map(ofTable), ...(docker ? [docker] : [])];
}
