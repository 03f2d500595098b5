// What skopeo and podman save, in each of their formats: pushed without them, and pulled back by skopeo.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { tokens } from '../../support/resource-api.ts';
import { lacks, runTool } from './tools.ts';

const run = promisify(execFile);
const commandLine = join(import.meta.dirname, '../../../cli/main.ts');

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'saved-'));
  layouts = await buildLayouts(join(directory, 'layouts'), 6_000_001);
  await mkdir(join(directory, 'home/.docker'), { recursive: true });
  await writeFile(join(directory, 'home/.docker/config.json'), '{}');
  proxy = await startProxy(join(directory, 'data'), ['team-a/saved']);
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

const tool = (name: string, ...args: string[]) => runTool(name, args, { home: join(directory, 'home') });
const copy = (...args: string[]) => tool('skopeo', '--insecure-policy', 'copy', '--quiet', ...args);
const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

let count = 0;

/** What skopeo pulls after `push`: its manifest's digest, and that of each layer unpacked, as the config has it. */
async function pushed(source: string): Promise<{ digest: string; diffIds: unknown }> {
  const tag = `saved-${count++}`;
  await run(
    process.execPath,
    [commandLine, 'push', '--endpoint', proxy.proxyUrl, source, `team-a/saved:${tag}`, '--json'],
    { env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: tokens.a } },
  );
  const name = `docker://${new URL(proxy.ecrUrl).host}/team-a/saved:${tag}`;
  const pulled = join(directory, tag);
  // As a docker archive skopeo unpacks every layer, and holds it to the config.
  await copy('--src-tls-verify=false', name, `docker-archive:${pulled}.tar:app:1`);
  await copy('--src-tls-verify=false', '--all', name, `dir:${pulled}`);
  const manifest = await readFile(join(pulled, 'manifest.json'));
  const { rootfs } = JSON.parse(
    await tool('skopeo', 'inspect', '--config', '--raw', `docker-archive:${pulled}.tar`),
  );
  return { digest: digestOf(manifest), diffIds: rootfs.diff_ids };
}

const layout = () => `oci:${layouts.directories.single}:single`;

describe.skipIf(lacks('skopeo'))('what skopeo saved', () => {
  it.each([
    ['oci', 'oci', ''],
    ['oci-archive', 'oci-archive', ':app:1.0'],
    ['dir', 'dir', ''],
  ])('as %s is pushed with its digest', async (form, transport, suffix) => {
    const path = join(directory, `skopeo-${form}`);
    await copy(layout(), `${transport}:${path}${suffix}`);
    expect(await pushed(path)).toEqual({ digest: layouts.digests.single, diffIds: layouts.diffIds });
  });

  it.each(['gzip', 'zstd', 'xz', 'bzip2'])(
    'as docker-archive is pushed, plain and packed by %s',
    async (program) => {
      const path = join(directory, `skopeo-${program}.tar`);
      await copy(layout(), `docker-archive:${path}:app:1.0`);
      const { digest, diffIds } = await pushed(path);
      expect(diffIds).toEqual(layouts.diffIds);
      if (lacks(program)) {
        return;
      }
      const packed = `${path}.packed`;
      await run('sh', ['-c', '"$1" -c <"$2" >"$3"', 'sh', program, path, packed]);
      expect(await pushed(packed)).toEqual({ digest, diffIds });
    },
  );

  it('as dir of all platforms is pushed with its digest', async () => {
    const path = join(directory, 'skopeo-all');
    await copy('--all', `oci:${layouts.directories.multi}:multi`, `dir:${path}`);
    expect((await pushed(path)).digest).toBe(layouts.digests.multi);
  });
});

describe.skipIf(lacks('podman') || lacks('skopeo'))('what podman saved', () => {
  const podman = (...args: string[]) => {
    const storage = join(directory, 'storage');
    const store = ['--root', `${storage}/root`, '--runroot', `${storage}/run`, '--storage-driver', 'vfs'];
    return tool('podman', ...store, ...args);
  };
  let image: string;
  beforeAll(async () => {
    // podman makes a name of a layout's path, and takes no capitals in it.
    const archive = join(directory, 'for-podman');
    await copy(layout(), `oci-archive:${archive}:app:1.0`);
    image = (await podman('pull', '--quiet', `oci-archive:${archive}`)).trim();
  });

  it.each([
    ['docker-archive', []],
    ['oci-archive', []],
    ['oci-dir', []],
    ['docker-dir', []],
    ['docker-dir', ['--compress']],
  ])('as %s is pushed %s', async (format, flags) => {
    const path = join(directory, `podman-${format}${flags.join('')}`);
    await podman('save', '--quiet', '--format', format, ...flags, '--output', path, image);
    const { digest, diffIds } = await pushed(path);
    expect(diffIds).toEqual(layouts.diffIds);
    if (format === 'docker-dir') {
      expect(digest).toBe(digestOf(await readFile(join(path, 'manifest.json'))));
    }
  });
});
