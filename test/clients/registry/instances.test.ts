// Container tools push to several instances of the endpoint behind a balancer, while one after the other ends.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InProcess, startInProcess } from '../../support/in-process.ts';
import { writeSection } from '../../support/kept-section.ts';
import { buildLayeredLayout } from '../../support/layered-layout.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { type Ending, type Fleet, startFleet } from '../../support/registry-fleet.ts';
import { type Pusher, shortDirectory, startPushers } from './pushing.ts';
import { lacks } from './tools.ts';

/** By hand, `INSTANCE_ROUNDS=5`: every tool, so many images each. Otherwise a sample. */
const rounds = Number(process.env.INSTANCE_ROUNDS ?? 0);
const sample = ['skopeo', 'crane', 'oras', 'regctl'];

const MiB = 1_048_576;
/** More than two parts hold, the smallest part that is not the last, and tiny. */
const layerBytes = [17 * MiB, 5 * MiB, 100, 1];
const repositoryName = 'team-a/app';
/** An instance ends so often, and in a round so many: on a machine that is busy nobody would come to an end otherwise. */
const everyMs = { least: 1_500, most: 3_000 };
const endingsInRound = 4;
/** Each failure needs an instance that ends, and its time: so many are never needed. */
const maxRuns = 3 * endingsInRound * Math.max(1, rounds);
/** Nobody pushes again at once. */
const nextRunMs = 1_000;

/** What a tool may say when it gives up: its user pushes again. Anything else would be this endpoint's fault. */
const triesAgain =
  /has not finished yet|try again|\b50[234]\b|Bad Gateway|Service (Temporarily )?Unavailable|Gateway Time-?out|EOF|reset by peer|broken pipe|connection refused/i;

let directory: string;
let pushers: Pusher[] = [];
let stack: InProcess;
beforeAll(async () => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
  directory = await shortDirectory();
  pushers = await startPushers(directory, sample, rounds > 0);
  stack = await startInProcess();
});
afterAll(async () => {
  for (const pusher of pushers) {
    await pusher.stop();
  }
  await stack?.close();
  await rm(directory, { recursive: true, force: true });
});

const number = (): number => randomBytes(4).readUInt32LE();

/** Ends one instance after the other, until there were enough or nobody pushes any more. @returns how many */
async function endOneAfterTheOther(fleet: Fleet, ending: Ending, stop: AbortSignal): Promise<number> {
  for (let ended = 0; ; ended += 1) {
    if (ended === endingsInRound * Math.max(1, rounds)) {
      return ended;
    }
    const pauseMs = everyMs.least + (number() % (everyMs.most - everyMs.least));
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) {
      return ended;
    }
    await fleet.replace(number(), ending);
  }
}

/** What a tool has said in the runs before the one that was whole. */
type Pushed = { tool: string; errors: string[] };

let pushed = 0;

/** As often as it takes. @throws Error with what the tool said last */
async function pushUntilWhole({ name: toolName, push, rewrites }: Pusher, fleet: Fleet): Promise<Pushed> {
  pushed += 1;
  const tag = `t${pushed}`;
  const home = join(directory, tag);
  const layout = await buildLayeredLayout(join(home, 'layout'), 'single', layerBytes);
  const name = `${fleet.host}/${repositoryName}:${tag}`;
  const errors: string[] = [];
  for (;;) {
    try {
      await push({ layout, name, host: fleet.host, home });
      break;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      errors.push(said);
      expect(said, toolName).toMatch(triesAgain);
      if (errors.length === maxRuns) {
        throw error;
      }
      await sleep(nextRunMs);
    }
  }
  const { digest, diffIds } = await pull(stack.ecrUrl, repositoryName, tag);
  expect(diffIds).toEqual(layout.diffIds);
  if (!rewrites) {
    expect(digest).toBe(layout.digest);
  }
  await rm(home, { recursive: true, force: true });
  return { tool: toolName, errors };
}

const linesOf = async (logFile: string): Promise<string[]> =>
  (await readFile(logFile, 'utf8').catch(() => '')).split('\n');

/** What an instance calls a fault of its own. */
const isFault = (line: string): boolean =>
  /"level":"(ERROR|CRITICAL)"|^Error|Unhandled|at .*server\.mjs/.test(line);

/** As many uploads as there may be, or the instance is being stopped. Another code says that ECR takes its time. */
const isTurnedAway = (line: string): boolean => line.includes('"code":"UNAVAILABLE"');

/** What of the pushes the end of instances has cost: by the balancer's own answers, and by an instance's refusals. */
async function cutIn(fleet: Fleet): Promise<number> {
  const ofBalancer = [502, 503, 504].map((status) => fleet.answered(status));
  const refused = (await linesOf(fleet.logFile)).filter(isTurnedAway).length;
  return ofBalancer.reduce((sum, count) => sum + count, refused);
}

/** Pushes with every tool at once, `rounds` times, while instances end. @returns how many have ended, too */
async function pushAmid(ending: Ending): Promise<{ ended: number; cut: number; all: Pushed[] }> {
  const fleet = await startFleet(stack, {
    directory: join(directory, ending),
    size: 3,
    // All tools are one client here.
    environment: { MAX_UPLOADS: '64', MAX_UPLOADS_PER_CLIENT: '64' },
  });
  const stop = new AbortController();
  const endingThem = endOneAfterTheOther(fleet, ending, stop.signal);
  const all: Pushed[] = [];
  try {
    for (let round = 0; round < Math.max(1, rounds); round += 1) {
      all.push(...(await Promise.all(pushers.map((pusher) => pushUntilWhole(pusher, fleet)))));
    }
  } finally {
    stop.abort();
    await endingThem;
    await fleet.close();
  }
  expect((await linesOf(fleet.logFile)).filter(isFault)).toEqual([]);
  return { ended: await endingThem, cut: await cutIn(fleet), all };
}

const report: string[] = [
  '| instances are | ended | tool | images | whole after 1 run | 2 | more |',
  '|---|---|---|---|---|---|---|',
];

function rowsOf(ending: Ending, ended: number, all: readonly Pushed[]): string[] {
  return pushers.map(({ name }) => {
    const failures = all.filter(({ tool }) => tool === name).map(({ errors }) => errors.length);
    const counts = [0, 1].map((failed) => failures.filter((one) => one === failed).length);
    const more = failures.filter((one) => one > 1).length;
    return `| ${ending} | ${ended} | ${name} | ${failures.length} | ${counts.join(' | ')} | ${more} |`;
  });
}

afterAll(() => {
  if (process.env.WRITE && rounds > 0) {
    writeSection({ page: 'docs/reliability.md', name: 'instances' }, report.join('\n'));
  }
});

const timeoutMs = (6 + rounds * 5) * 60_000;

describe.skipIf(sample.some(lacks))('of several instances behind a balancer', () => {
  const inTheEnd = 'every few seconds: each image is whole in the end';

  it(`one is killed ${inTheEnd}`, { timeout: timeoutMs }, async () => {
    await pushTo('killed');
  });

  it.skipIf(rounds === 0)(`one is stopped ${inTheEnd}`, { timeout: timeoutMs }, async () => {
    await pushTo('stopped');
  });

  it('one is replaced every few seconds, as by a deployment: no push is cut', {
    timeout: timeoutMs,
  }, async () => {
    expect(await pushTo('replaced')).toBe(0);
  });

  /** @returns how many requests the end of instances has cost */
  async function pushTo(ending: Ending): Promise<number> {
    const { ended, cut, all } = await pushAmid(ending);
    expect(ended).toBeGreaterThan(0);
    report.push(...rowsOf(ending, ended, all));
    return cut;
  }
});
