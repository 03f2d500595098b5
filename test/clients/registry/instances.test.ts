// Container tools push to several instances of the endpoint behind a balancer, while one after the other ends.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcess, startInProcess } from '../../support/in-process.ts';
import { buildLayeredLayout } from '../../support/layered-layout.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { type Ending, type Fleet, startFleet } from '../../support/registry-fleet.ts';
import { tokens } from '../../support/resource-api.ts';
import { writeLogins } from './fronts.ts';
import { type Tool, tools } from './tool-table.ts';
import { lacks, runCommands } from './tools.ts';

/** By hand, `INSTANCE_ROUNDS=20`: every tool, so many images each. Otherwise a sample. */
const rounds = Number(process.env.INSTANCE_ROUNDS ?? 0);
const sample = ['skopeo', 'crane', 'oras', 'regctl'];
const pushing = Object.entries(tools).filter(([name]) => rounds > 0 || sample.includes(name));

const MiB = 1_048_576;
/** More than two parts hold, the smallest part that is not the last, and tiny. */
const layerBytes = [17 * MiB, 5 * MiB, 100, 1];
const repositoryName = 'team-a/app';
/** An instance ends so often. */
const everyMs = { least: 1_500, most: 3_000 };
const maxRuns = 5;

/** A completion that takes ECR longer than clients wait: on a machine that is busy, with no instance ended. */
const isSlow = /has not finished yet/;

/** What a tool may say when it gives up: its user pushes again. Anything else would be this endpoint's fault. */
const triesAgain =
  /has not finished yet|\b50[234]\b|Bad Gateway|Service (Temporarily )?Unavailable|Gateway Time-?out|EOF|reset by peer|broken pipe|connection refused/i;

let directory: string;
let stack: InProcess;
beforeAll(async () => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
  directory = await mkdtemp(join(tmpdir(), 'instances-'));
  stack = await startInProcess();
});
afterAll(async () => {
  await stack?.close();
  await rm(directory, { recursive: true, force: true });
});

const number = (): number => randomBytes(4).readUInt32LE();

/** Ends one instance after the other until it is told to stop. @returns how many */
async function endOneAfterTheOther(fleet: Fleet, ending: Ending, stop: AbortSignal): Promise<number> {
  for (let ended = 0; ; ended += 1) {
    const pauseMs = everyMs.least + (number() % (everyMs.most - everyMs.least));
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) {
      return ended;
    }
    await fleet.replace(number(), ending);
  }
}

type Pushed = { tool: string; runs: number; errors: string[] };

/** As often as it takes. @throws Error with what the tool said last */
async function pushUntilWhole(toolName: string, tool: Tool, fleet: Fleet, tag: string): Promise<Pushed> {
  const home = join(directory, tag);
  const layout = await buildLayeredLayout(join(home, 'layout'), 'single', layerBytes);
  await writeLogins(home, { [fleet.host]: { auth: Buffer.from(`any:${tokens.a}`).toString('base64') } });
  const name = `${fleet.host}/${repositoryName}:${tag}`;
  const errors: string[] = [];
  for (let runs = 1; ; runs += 1) {
    try {
      const storage = join(home, `storage-${runs}`);
      const commands = tool.push.single?.({ layout: layout.directory, name, host: fleet.host, storage });
      await runCommands(toolName, commands ?? [], home);
      const pulled = await pull(stack.ecrUrl, repositoryName, tag);
      expect(pulled.diffIds).toEqual(layout.diffIds);
      if (!tool.rewrites) {
        expect(pulled.digest).toBe(layout.digest);
      }
      await rm(home, { recursive: true, force: true });
      return { tool: toolName, runs, errors };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      errors.push(said);
      expect(said, toolName).toMatch(triesAgain);
      if (runs === maxRuns) {
        throw error;
      }
    }
  }
}

/** Whatever an instance calls a fault of its own. */
async function faultsIn(logFile: string): Promise<string[]> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).split('\n');
  return lines.filter((line) => /"level":"(ERROR|CRITICAL)"|^Error|Unhandled|at .*server\.mjs/.test(line));
}

const minutes = rounds > 0 ? 1 + rounds * 2 : 3;

describe.skipIf(sample.some(lacks))('several instances behind a balancer', () => {
  it.each<[Ending, number]>([
    ['killed', maxRuns],
    ...(rounds > 0 ? [['stopped', maxRuns] as [Ending, number]] : []),
    // A deployment cuts no push: nobody has to push again.
    ['replaced', 1],
  ])(
    'of which one is %s every few seconds: each image is whole after at most %i runs',
    async (ending, mostRuns) => {
      const fleet = await startFleet(stack, { directory: join(directory, ending), size: 3 });
      const stop = new AbortController();
      const ending_ = endOneAfterTheOther(fleet, ending, stop.signal);
      try {
        const all: Pushed[] = [];
        for (let round = 0; round < Math.max(1, rounds); round += 1) {
          const pushes = pushing.map(([name, tool]) =>
            pushUntilWhole(name, tool, fleet, `${ending}-${name}-${round}`),
          );
          all.push(...(await Promise.all(pushes)));
        }
        for (const { tool, errors } of all) {
          const cut = errors.filter((said) => !isSlow.test(said));
          expect(cut.length, `${tool}: ${cut.join('\n')}`).toBeLessThan(mostRuns);
        }
      } finally {
        stop.abort();
        const ended = await ending_;
        await fleet.close();
        expect(ended).toBeGreaterThan(0);
      }
      expect(await faultsIn(fleet.logFile)).toEqual([]);
    },
    minutes * 60_000,
  );
});
