// What container tools do when a load balancer answers a request by itself, in HTML: push on, or give up with its words.

import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startHosted } from '../../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../../support/in-process.ts';
import { readSection, writeSection } from '../../support/kept-section.ts';
import { buildLayeredLayout } from '../../support/layered-layout.ts';
import { type Fault, type LoadBalancer, startLoadBalancer } from '../../support/load-balancer.ts';
import { pull } from '../../support/pulled.ts';
import { pushesAllKinds } from './fronts.ts';
import { type Pusher, shortDirectory, startPushers } from './pushing.ts';
import { lacks } from './tools.ts';

/** Which request of a push meets the error, the first of its kind. */
const places = {
  HEAD: ({ method }: IncomingMessage) => method === 'HEAD',
  POST: ({ method }: IncomingMessage) => method === 'POST',
  'a layer’s bytes': ({ method, url = '', headers }: IncomingMessage) =>
    url.includes('/uploads/') &&
    (method === 'PATCH' || (method === 'PUT' && headers['content-length'] !== '0')),
  'the manifest': ({ method, url = '' }: IncomingMessage) => method === 'PUT' && url.includes('/manifests/'),
} as const;
type Place = keyof typeof places;

/** As an Application Load Balancer says when: a body stalled; its target closed the connection; none is there; none answered. */
const faults: readonly Fault[] = [
  { status: 408, lost: false },
  { status: 502, lost: false },
  { status: 502, lost: true },
  { status: 503, lost: false },
  { status: 504, lost: true },
];

const placeNames: readonly Place[] = ['HEAD', 'POST', 'a layer’s bytes', 'the manifest'];
/** What most tools do otherwise than the others. */
const sampled = { place: 'a layer’s bytes', status: 503 } as const;
const sampledTools = ['skopeo', 'crane', 'oras', 'regctl'];

const section = { page: 'docs/registry-endpoint.md', name: 'errors of the load balancer' };
const command = 'WRITE=1 ALL_KINDS=1 npm run test:clients -- balancer-errors';

let directory: string;
let pushers: Pusher[] = [];
let stack: InProcess;
let server: Awaited<ReturnType<typeof startHosted>>;
let balancer: LoadBalancer;
let armed: { place: Place; fault: Fault; times: number } | undefined;
beforeAll(async () => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
  directory = await shortDirectory();
  pushers = await startPushers(directory, sampledTools, pushesAllKinds);
  stack = await startInProcess();
  server = await startHosted(stack, { behindLoadBalancer: true, blobMode: 'stream' });
  const faultOf = (request: IncomingMessage) => {
    const fault = armed && places[armed.place](request) ? armed.fault : undefined;
    if (armed && fault) {
      armed = armed.times > 1 ? { ...armed, times: armed.times - 1 } : undefined;
    }
    return fault;
  };
  balancer = await startLoadBalancer(server.url, { idleMs: 60_000, faultOf });
});
afterAll(async () => {
  for (const pusher of pushers) {
    await pusher.stop();
  }
  await balancer?.close();
  await server?.close();
  await stack?.close();
  await rm(directory, { recursive: true, force: true });
});

let pushed = 0;

/** In how many runs of the tool the image is there, whole. @throws what it says after the second */
async function runsUntilWhole(
  { name: toolName, push }: Pusher,
  place: Place,
  fault: Fault,
  times = 1,
): Promise<number> {
  pushed += 1;
  const tag = `t${pushed}`;
  const home = join(directory, tag);
  const { host } = new URL(balancer.url);
  const layout = await buildLayeredLayout(join(home, 'layout'), 'single', [100_000]);
  const name = `${host}/team-a/app:${tag}`;
  armed = { place, fault, times };
  for (let runs = 1; ; runs += 1) {
    try {
      await push({ layout, name, host, home });
      expect(armed, `${toolName} sends no such request as ${place}`).toBeUndefined();
      expect((await pull(stack.ecrUrl, 'team-a/app', tag)).diffIds).toEqual(layout.diffIds);
      await rm(home, { recursive: true, force: true });
      return runs;
    } catch (error) {
      // It says the status: its user knows what to ask the operator for.
      expect(String(error), toolName).toMatch(new RegExp(`${fault.status}|HTML|invalid character`));
      if (runs === 2) {
        throw error;
      }
    }
  }
}

/** A row for each tool, a column for each status: where it gives up, as far as it is known. */
type Outcomes = Map<string, Map<string, string>>;

const headOf = (statuses: readonly string[]) => [
  `| | ${statuses.join(' | ')} |`,
  `|---|${statuses.map(() => '---|').join('')}`,
];
const statuses = [...new Set(faults.map(({ status }) => String(status)))];

const tableOf = (outcomes: Outcomes): string =>
  [
    ...headOf(statuses),
    ...[...outcomes].map(
      ([toolName, cells]) => `| ${toolName} | ${statuses.map((status) => cells.get(status)).join(' | ')} |`,
    ),
  ].join('\n');

/** Where it gives up, by status; the same whether the target has done what was asked or not. */
async function outcomesOf(pusher: Pusher): Promise<Map<string, string>> {
  const givesUp = new Map(statuses.map((status): [string, Set<Place>] => [status, new Set()]));
  for (const place of placeNames) {
    for (const fault of faults) {
      if ((await runsUntilWhole(pusher, place, fault)) > 1) {
        givesUp.get(String(fault.status))?.add(place);
      }
    }
  }
  const cellOf = (given: Set<Place>) => {
    if (given.size === 0) {
      return 'pushes on';
    }
    return given.size === placeNames.length ? 'gives up' : `gives up at ${[...given].join(', ')}`;
  };
  return new Map([...givesUp].map(([status, given]) => [status, cellOf(given)]));
}

/** What the page says of a tool. */
function keptOf(toolName: string): Map<string, string> {
  const row = readSection(section)
    .split('\n')
    .find((line) => line.startsWith(`| ${toolName} |`));
  const cells = row?.split('|').map((cell) => cell.trim()) ?? [];
  return new Map(statuses.map((status, at) => [status, cells[at + 2] ?? '']));
}

it.skipIf(pushesAllKinds || sampledTools.some(lacks))(
  'a sample of the tools does with an error as the page says',
  async () => {
    for (const pusher of pushers) {
      const fault = faults.find(({ status }) => status === sampled.status);
      if (fault) {
        const runs = await runsUntilWhole(pusher, sampled.place, fault);
        const kept = keptOf(pusher.name).get(String(sampled.status)) ?? '';
        const givesUp = kept === 'gives up' || kept.includes(sampled.place);
        expect(runs, pusher.name).toBe(givesUp ? 2 : 1);
      }
    }
  },
);

/** It asks how far an upload is that has nothing, and goes on there. */
it.skipIf(lacks('regctl'))(
  'regctl sends a layer in chunks after an error, and the first chunk again after another',
  async () => {
    const pusher = pushers.find(({ name }) => name === 'regctl');
    const fault = { status: 503, lost: false } as const;
    expect(pusher && (await runsUntilWhole(pusher, 'a layer’s bytes', fault, 2))).toBe(1);
  },
);

it.skipIf(!pushesAllKinds)(
  `each tool does with each error as the page says: ${command} writes it`,
  async () => {
    const outcomes: Outcomes = new Map();
    for (const pusher of pushers) {
      outcomes.set(pusher.name, await outcomesOf(pusher));
    }
    if (process.env.WRITE) {
      writeSection(section, tableOf(outcomes));
    }
    for (const [toolName, cells] of outcomes) {
      expect([toolName, ...cells]).toEqual([toolName, ...keptOf(toolName)]);
    }
  },
  1_800_000,
);
