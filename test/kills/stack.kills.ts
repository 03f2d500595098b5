// `npm start` killed, ended and stopped at random moments, while clients push through every front that it has.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it, vi } from 'vitest';
import { type Acknowledged, findLost } from '../load/kept.ts';
import { drawing, kills, oneOf, report, runningMs } from './moments.ts';
import { childrenOf, end, isRunning, startProgram } from './processes.ts';
import { fronts, startPushers } from './pushers.ts';

const ports = ['PORT', 'ECR_PORT', 'S3_PORT', 'REGISTRY_PORT'] as const;
const names = { PORT: 'Proxy', ECR_PORT: 'ECR', S3_PORT: 'S3', REGISTRY_PORT: 'Registry' } as const;
type Urls = Record<(typeof ports)[number], string>;

const dataDirectory = await mkdtemp(join(tmpdir(), 'kills-'));
let stack: Awaited<ReturnType<typeof startStack>>;
afterAll(async () => {
  await end(stack.child, 'SIGKILL');
  await rm(dataDirectory, { recursive: true, force: true });
});

async function startStack(urls?: Urls) {
  const portOf = (variable: keyof Urls) => (urls ? new URL(urls[variable]).port : '0');
  const environment = {
    ...Object.fromEntries(ports.map((variable) => [variable, portOf(variable)])),
    LOCAL_DATA: dataDirectory,
  };
  const { child, printed } = await startProgram(['local/start.ts'], environment, 'Ctrl-C ends it');
  const urlOf = (variable: keyof Urls) =>
    new RegExp(`^${names[variable]} +(http://[\\d.:]+)`, 'm').exec(printed)?.[1] ?? '';
  const { pid = 0 } = child;
  return {
    child,
    endpoint: () => childrenOf(pid)[0] ?? 0,
    urls: {
      PORT: urlOf('PORT'),
      ECR_PORT: urlOf('ECR_PORT'),
      S3_PORT: urlOf('S3_PORT'),
      REGISTRY_PORT: urlOf('REGISTRY_PORT'),
    },
  };
}

/** Whatever ends the stack: nothing of it runs on, and the next one serves at the same ports. */
async function endAndStart(signal: NodeJS.Signals) {
  const endpoint = stack.endpoint();
  await end(stack.child, signal);
  await vi.waitFor(() => expect(isRunning(endpoint)).toBe(false), { timeout: 120_000 });
  stack = await startStack(stack.urls);
}

async function pause(processId: number, ms: number) {
  process.kill(processId, 'SIGSTOP');
  await sleep(ms);
  process.kill(processId, 'SIGCONT');
}

const blows: Record<string, (draw: () => number) => Promise<void>> = {
  'npm start, SIGKILL': () => endAndStart('SIGKILL'),
  'npm start, SIGTERM': () => endAndStart('SIGTERM'),
  'npm start, stopped for a while': (draw) => pause(stack.child.pid ?? 0, draw() * 3_000),
  'its registry endpoint, SIGKILL': async () => {
    const killed = stack.endpoint();
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(() => expect([0, killed]).not.toContain(stack.endpoint()), { timeout: 120_000 });
  },
  'its registry endpoint, stopped for a while': (draw) => pause(stack.endpoint(), draw() * 3_000),
};

it('loses nothing that it has acknowledged, and starts again', async () => {
  const draw = drawing('npm start');
  stack = await startStack();
  const { PORT, REGISTRY_PORT, ECR_PORT } = stack.urls;
  const pushers = startPushers([
    fronts['resource API'](PORT),
    fronts['AWS API'](PORT),
    fronts['AWS API'](PORT),
    fronts['registry endpoint'](REGISTRY_PORT),
  ]);
  const counts: Record<string, number> = {};
  let checked = 0;
  const check = async () => {
    const fresh: readonly Acknowledged[] = pushers.acknowledged.slice(checked);
    expect(await findLost(ECR_PORT, fresh)).toEqual([]);
    checked += fresh.length;
  };
  for (let kill = 0; kill < kills; kill += 1) {
    await sleep(runningMs(draw));
    const what = oneOf(draw, Object.keys(blows));
    counts[what] = (counts[what] ?? 0) + 1;
    await blows[what]?.(draw);
    await check();
  }
  await pushers.stop();
  expect(await findLost(ECR_PORT, pushers.acknowledged)).toEqual([]);
  await end(stack.child, 'SIGTERM');
  expect(stack.child.exitCode).toBe(0);
  const files = await readdir(dataDirectory, { recursive: true });
  expect(files.filter((name) => /\.new$|-journal$/.test(name))).toEqual([]);
  expect(pushers.acknowledged.length).toBeGreaterThan(0);
  report('npm start', counts, `${pushers.acknowledged.length} layers were acknowledged, and none is lost.`);
});
