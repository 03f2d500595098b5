// The commands of README.md and docs/registry-endpoint.md for docker and skopeo, run as they are typed.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../support/local-stack.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { tokens } from '../../support/resource-api.ts';
import { type Engine, probe, startEngine } from './engine.ts';
import { findTool } from './tools.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const host = /\b(?:127\.0\.0\.1:8083|push\.example\.com)\b/g;

/** Blocks of commands, each of which begins with these words. */
const documented = [
  { page: 'README.md', begins: 'docker login 127.0.0.1:8083', tools: ['skopeo'] },
  { page: 'README.md', begins: 'docker login push.example.com', tools: [] },
  { page: 'docs/registry-endpoint.md', begins: 'docker login push.example.com', tools: [] },
  { page: 'docs/registry-endpoint.md', begins: 'curl --fail', tools: ['curl', 'jq'] },
];

const classic: Engine = { name: 'commands', store: 'classic' };
const found = await probe(classic);
let home: string;
let local: LocalStack;
let engine: Awaited<ReturnType<typeof startEngine>>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'commands-'));
  local = await startLocalStack({ registryPort: 0 });
  if ('version' in found) {
    engine = await startEngine(classic, home);
    const { docker } = engine;
    await mkdir(join(home, 'root'));
    await writeFile(join(home, 'root', 'file'), randomBytes(1_000_000));
    await run('tar', [
      '--create',
      '--file',
      join(home, 'root.tar'),
      '--directory',
      join(home, 'root'),
      'file',
    ]);
    await docker('import', join(home, 'root.tar'), 'image:made-here');
    await docker('save', '--output', join(home, 'app.tar'), 'image:made-here');
    await writeFile(join(home, 'token'), tokens.a);
  }
});
afterAll(async () => {
  await engine?.stop();
  await local?.close();
  await rm(home, { recursive: true, force: true });
});

it.for(documented)('$page: $begins … works as typed', async ({ page, begins, tools }, { skip }) => {
  if ('reason' in found) {
    skip(found.reason);
  }
  const missing = tools.filter((tool) => !findTool(tool));
  if (missing.length > 0) {
    skip(`${missing.join(', ')} not installed`);
  }
  const text = await readFile(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([^`]*)^```/gm)].map(([, commands = '']) => commands);
  const commands =
    blocks.find((block) => block.startsWith(begins)) ?? expect.fail(`${page} has no such block`);
  const registry = new URL(local.registryUrl ?? expect.fail('no registry endpoint'));
  const script = commands
    // The endpoint of this machine has no certificate, and Docker asks for none on loopback.
    .replaceAll('https://push.example.com', registry.origin)
    .replaceAll(host, registry.host)
    .replaceAll('IMAGE', 'image:made-here');
  const tagged = /docker push (\S+)/.exec(script)?.[1];
  if (tagged && !script.includes('docker tag')) {
    await engine.docker('tag', 'image:made-here', tagged);
  }
  const docker = findTool('docker') ?? '';
  await run('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: home,
    env: {
      PATH: [join(docker, '..'), process.env.PATH].join(delimiter),
      HOME: home,
      DOCKER_CONFIG: join(home, '.docker'),
      DOCKER_HOST: engine.url,
      TOKEN: tokens.a,
    },
  });
  if (tagged) {
    const { digest } = await pull(local.ecrUrl, 'team-a/app', '1.0');
    expect(digest).toMatch(/^sha256:/);
  }
});
