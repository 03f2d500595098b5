// The bridge and `push` killed at random moments of a push, which is then done again.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findLost } from '../load/kept.ts';
import { type RegistryProxy, startProxy } from '../support/bridge.ts';
import { buildLayouts } from '../support/oci-layout.ts';
import { digestOf } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';
import { drawing, kills, oneOf, report, runningMs } from './moments.ts';
import { end, spawnProgram, startProgram } from './processes.ts';
import { fronts, startPushers } from './pushers.ts';

const run = promisify(execFile);

let directory: string;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kills-'));
  proxy = await startProxy(join(directory, 'data'), ['team-a/app', 'team-a/pushed']);
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Where the programs have their temporary files, and nothing else is. */
async function emptyFolder(name: string): Promise<string> {
  const folder = join(directory, name);
  await mkdir(folder);
  return folder;
}

const commandLine = 'cli/main.ts';
const signals = ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const;

it('a bridge that is killed loses nothing that it has acknowledged', async () => {
  const draw = drawing('bridge');
  const TMPDIR = await emptyFolder('bridge');
  const start = async (port: string) => {
    const flags = ['--endpoint', proxy.proxyUrl, '--port', port, '--quiet'];
    const environment = { TMPDIR, ECR_UPLOAD_PROXY_TOKEN: '' };
    const { child, printed } = await startProgram(
      [commandLine, 'bridge', ...flags],
      environment,
      'Ctrl-C ends it',
    );
    return { child, url: /^Registry +(http:\S+)/m.exec(printed)?.[1] ?? '' };
  };
  let bridge = await start('0');
  const { url } = bridge;
  const pushers = startPushers([fronts['registry endpoint'](url), fronts['registry endpoint'](url)]);
  const counts: Record<string, number> = {};
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(runningMs(draw));
    // One that may end its uploads first is told twice, or waits for them.
    const signal = oneOf(draw, signals);
    counts[signal] = (counts[signal] ?? 0) + 1;
    const ended = end(bridge.child, signal);
    if (signal !== 'SIGKILL') {
      await sleep(draw() * 500);
      bridge.child.kill(signal);
    }
    await ended;
    bridge = await start(new URL(url).port);
  }
  await pushers.stop();
  await end(bridge.child, 'SIGTERM');
  expect(bridge.child.exitCode).toBe(0);
  expect(await findLost(proxy.ecrUrl, pushers.acknowledged)).toEqual([]);
  expect(await readdir(TMPDIR)).toEqual([]);
  expect(pushers.acknowledged.length).toBeGreaterThan(0);
  report('the bridge', counts, `${pushers.acknowledged.length} layers were acknowledged, and none is lost.`);
});

it('a push that is killed is whole when it is run again, and leaves no file behind', async () => {
  const draw = drawing('push');
  const TMPDIR = await emptyFolder('push');
  const push = (source: string, tag: string) => {
    const args = [commandLine, 'push', '--endpoint', proxy.proxyUrl, source, `team-a/pushed:${tag}`];
    return spawnProgram(args, { TMPDIR, ECR_UPLOAD_PROXY_TOKEN: tokens.a });
  };
  const endings: Record<string, number> = {};
  for (let kill = 0; kill < kills; kill += 1) {
    const directoryOfIt = join(directory, `layouts-${kill}`);
    const layouts = await buildLayouts(directoryOfIt, 1_000_000 + Math.floor(draw() * 16_000_000));
    const packed = join(directoryOfIt, 'packed.tar.gz');
    // One that is packed is unpacked into a temporary file first.
    await run('tar', ['-czf', packed, '-C', layouts.directories.single, '.']);
    const source = draw() < 0.5 ? packed : layouts.directories.single;

    const first = push(source, `t${kill}`);
    await sleep(draw() * 4_000);
    first.child.kill(oneOf(draw, signals));
    await first.exit;
    const how = first.child.signalCode ?? `status ${first.child.exitCode}`;
    endings[how] = (endings[how] ?? 0) + 1;
    expect(await readdir(TMPDIR)).toEqual([]);

    const again = push(source, `t${kill}`);
    await again.exit;
    expect(again.child.exitCode, again.output.text).toBe(0);
    const manifest = await fetch(`${proxy.ecrUrl}/v2/team-a/pushed/manifests/t${kill}`);
    expect(digestOf(await manifest.text())).toBe(layouts.digests.single);
    expect(await readdir(TMPDIR)).toEqual([]);
    await rm(directoryOfIt, { recursive: true });
  }
  report('push', endings, 'each was whole when it was run again, and left no file behind.');
});
