// `npm start` after a kill: nothing of it runs on, what it acknowledged is there, and it starts again where it was.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const program = join(import.meta.dirname, '../../local/start.ts');
/** A busy machine synthesizes and starts within that. */
const slow = 540_000;

let dataDirectory: string;
beforeAll(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'local-kills-'));
});
const started: ChildProcess[] = [];
afterAll(async () => {
  await Promise.all(started.map((child) => end(child, 'SIGKILL')));
  rmSync(dataDirectory, { recursive: true, force: true });
});

const freePorts = { PORT: '0', ECR_PORT: '0', S3_PORT: '0', REGISTRY_PORT: '0' };
type Ports = typeof freePorts;

function start(ports: Ports) {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...ports, LOCAL_DATA: dataDirectory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output.text += chunk;
    });
  }
  return { child, output };
}

async function serve(wanted: Ports) {
  const { child, output } = start(wanted);
  await vi.waitFor(() => expect(output.text).toContain('Ctrl-C ends it'), { timeout: slow, interval: 100 });
  const urlOf = (name: string) =>
    new RegExp(`^${name} +(?<url>http://[\\d.:]+)`, 'm').exec(output.text)?.groups?.url ?? '';
  const portOf = (name: string) => new URL(urlOf(name)).port;
  const ports = {
    PORT: portOf('Proxy'),
    ECR_PORT: portOf('ECR'),
    S3_PORT: portOf('S3'),
    REGISTRY_PORT: portOf('Registry'),
  };
  return { child, output, registry: urlOf('Registry'), ecr: urlOf('ECR'), ports };
}

type Stack = Awaited<ReturnType<typeof serve>>;

async function end(child: ChildProcess, signal: NodeJS.Signals) {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}

const authorization = `Bearer ${tokens.a}`;

async function pushLayer(registry: string, bytes: Buffer) {
  const digest = digestOf(bytes);
  const answer = await fetch(`${registry}/v2/team-a/app/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  expect(answer.status).toBe(201);
  return digest;
}

const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** Of the stand-in, which gives a layer that belongs to no image yet. */
async function layerOf(ecr: string, digest: string) {
  const answer = await fetch(`${ecr}/v2/team-a/app/blobs/${digest}`);
  return digestOf(Buffer.from(await answer.arrayBuffer()));
}

/** The endpoint is the local stack's only child. */
const childrenOf = ({ pid }: ChildProcess) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

/** One after the other, each with the stack as the one before has left it: it takes seconds to start. */
describe.runIf(process.platform === 'linux')('npm start', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await serve(freePorts);
  }, slow);

  it('does not start where another one keeps its data', { timeout: slow }, async () => {
    const { child, output } = start(freePorts);
    await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(output.text).toContain(`${dataDirectory} is in use by another npm start: set LOCAL_DATA`);
  });

  it('starts the registry endpoint again when that is killed, and says so', { timeout: slow }, async () => {
    const { child, output, registry } = stack;
    const [endpoint = 0] = childrenOf(child);
    process.kill(endpoint, 'SIGKILL');
    const said = 'The registry endpoint ended by SIGKILL, and is started again.';
    await expect.poll(() => output.text, { timeout: 60_000 }).toContain(said);
    await expect.poll(() => answers(`${registry}/v2/`), { timeout: 60_000 }).toBe(true);
  });

  it('that is killed leaves no process, and starts again at its ports with what it had', {
    timeout: slow,
  }, async () => {
    const { child, registry, ecr, ports } = stack;
    const digest = await pushLayer(registry, randomBytes(5_000_001));
    await end(child, 'SIGKILL');
    await expect.poll(() => answers(`${registry}/v2/`), { timeout: 60_000 }).toBe(false);
    stack = await serve(ports);
    expect(await layerOf(ecr, digest)).toBe(digest);
  });

  it('ends with the registry endpoint that it has started again', { timeout: slow }, async () => {
    const { child, registry } = stack;
    await end(child, 'SIGTERM');
    expect(child.exitCode).toBe(0);
    expect(await answers(`${registry}/v2/`)).toBe(false);
  });
});
