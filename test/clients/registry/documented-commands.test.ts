// The commands of README.md and docs/registry-endpoint.md, run as they are typed: set up, log in, push.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../support/local-stack.ts';
import { buildLayouts } from '../../support/oci-layout.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { tokens } from '../../support/resource-api.ts';
import { type Engine, probe, startEngine } from './engine.ts';
import { findTool } from './tools.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const endpointPage = 'docs/registry-endpoint.md';
const host = /\b(?:127\.0\.0\.1:8083|push\.example\.com)\b/g;
const image = 'image:made-here';

const classic: Engine = { name: 'commands', store: 'classic' };
const found = await probe(classic);
let home: string;
let local: LocalStack;
let engine: Awaited<ReturnType<typeof startEngine>>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'commands-'));
  local = await startLocalStack({ registryPort: 0 });
  await writeFile(join(home, 'token'), tokens.a);
  if ('version' in found) {
    engine = await startEngine(classic, home);
    const { docker } = engine;
    const files = join(home, 'root');
    await mkdir(files);
    await writeFile(join(files, 'file'), randomBytes(1_000_000));
    await run('tar', ['--create', '--file', `${files}.tar`, '--directory', files, 'file']);
    await docker('import', `${files}.tar`, image);
    await docker('save', '--output', join(home, 'app.tar'), image);
  }
});
afterAll(async () => {
  await engine?.stop();
  await local?.close();
  await rm(home, { recursive: true, force: true });
});

/** The commands of a page that begin in this way. */
async function commandsOf(page: string, begin: string): Promise<string> {
  const text = await readFile(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^( *)```sh\n([^`]*)^ *```/gm)].map(([, indent = '', commands = '']) =>
    commands.slice(indent.length).replaceAll(`\n${indent}`, '\n'),
  );
  return blocks.find((commands) => commands.startsWith(begin)) ?? expect.fail(`${page} has no such commands`);
}

const bash = (script: string, cwd: string, environment: Record<string, string>) =>
  run('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env: { PATH: process.env.PATH, HOME: home, ...environment },
  });

it.for([
  { page: 'README.md', begin: 'docker login 127.0.0.1:8083', tools: ['skopeo'] },
  { page: 'README.md', begin: 'docker login push.example.com', tools: [] },
  { page: endpointPage, begin: 'docker login push.example.com', tools: [] },
  { page: endpointPage, begin: 'curl --fail', tools: ['curl', 'jq'] },
])('$page: $begin … works as typed', async ({ page, begin, tools }, { skip }) => {
  const missing = tools.filter((tool) => !findTool(tool));
  if ('reason' in found) {
    skip(found.reason);
  }
  if (missing.length > 0) {
    skip(`${missing.join(', ')} not installed`);
  }
  const registry = new URL(local.registryUrl ?? expect.fail('no registry endpoint'));
  // The endpoint of this machine has no certificate, and Docker asks for none on loopback.
  const script = (await commandsOf(page, begin))
    .replaceAll('https://push.example.com', registry.origin)
    .replaceAll(host, registry.host)
    .replaceAll('IMAGE', image);
  const pushed = /docker push (\S+)/.exec(script)?.[1];
  if (pushed && !script.includes('docker tag')) {
    await engine.docker('tag', image, pushed);
  }
  await bash(script, home, {
    PATH: [dirname(findTool('docker') ?? ''), process.env.PATH].join(delimiter),
    DOCKER_CONFIG: join(home, '.docker'),
    DOCKER_HOST: engine.url,
    TOKEN: tokens.a,
  });
  if (pushed) {
    await pull(local.ecrUrl, 'team-a/app', '1.0');
  }
});

it(`${endpointPage}: the image of an endpoint on Fargate is written and pushed as typed`, async () => {
  const { directories } = await buildLayouts(join(home, 'layouts'), 1_000);
  const out = join(home, 'registry-image');
  const script = (await commandsOf(endpointPage, 'export ECR_UPLOAD_PROXY_ENDPOINT'))
    .replace('ENDPOINT=…', `ENDPOINT=${local.proxyUrl}`)
    .replace('TOKEN=…', `TOKEN=${tokens.a}`)
    .replace('--base base', `--base ${directories.multi}`)
    .replace('--out registry-image', `--out ${out}`)
    .replace('push registry-image', `push ${out}`)
    .replace('ops/registry-endpoint', 'team-a/app');
  const [first = '', push = ''] = script.split(/^(?=npx )/m);
  const { stdout } = await bash(first, root, {});
  const [, contents = ''] = /:([0-9a-f]{64})\n/.exec(stdout) ?? [];
  const exports = first.replaceAll(/^npm .*\n/gm, '');
  await bash(exports + push.replace('CONTENTS', contents), root, {});
  const { digest } = await pull(local.ecrUrl, 'team-a/app', contents);
  expect(stdout).toContain(`:${contents}@${digest}"`);
});
