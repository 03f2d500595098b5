// `bridge` as a user calls it: whom it lets in, what it says when it cannot serve, and how it ends.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const commandLine = join(import.meta.dirname, '../../cli/main.ts');
const run = promisify(execFile);
const endpoint = ['--endpoint', 'http://127.0.0.1:1'];

let directory: string;
let files: Record<'cert' | 'key' | 'password', string>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridge-'));
  files = {
    cert: join(directory, 'cert.pem'),
    key: join(directory, 'key.pem'),
    password: join(directory, 'password'),
  };
  await writeFile(files.password, 'open sesame\n');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
  await run('openssl', [...request, '-keyout', files.key, '-out', files.cert]);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (args: string[], token = 'eup_team-a-ci_s3cr3t') =>
  spawn(process.execPath, [commandLine, 'bridge', ...args], {
    env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function failure(args: string[], token?: string): Promise<{ status: number; err: string }> {
  const child = start(args, token);
  const err: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [status] = await once(child, 'close');
  return { status, err: Buffer.concat(err).toString() };
}

describe('the bridge refuses to start', () => {
  const rows: [string, string[], string | undefined, RegExp][] = [
    ['without a proxy', [], undefined, /required option '--endpoint/],
    ['open to the network without TLS', ['--listen', '0.0.0.0'], '', /give --tls-cert and --tls-key/],
    [
      'lending its token to the network',
      ['--listen', '0.0.0.0', '--tls-cert', 'CERT', '--tls-key', 'KEY'],
      undefined,
      /give --password-file, or no token at all/,
    ],
    ['with a password that guards nothing', ['--password-file', 'PASSWORD'], '', /it has none/],
    ['with half of what TLS needs', ['--tls-cert', 'CERT'], undefined, /go together/],
    ['with two tokens', ['--token-file', 'x', '--token-command', 'y'], undefined, /not both/],
    ['at no port', ['--port', '70000'], undefined, /from 0 to 65535/],
  ];
  it.each(rows)('%s', async (what, args, token, message) => {
    const named: Record<string, string> = { CERT: files.cert, KEY: files.key, PASSWORD: files.password };
    const filled = args.map((argument) => named[argument] ?? argument);
    const ended = await failure([...(what === 'without a proxy' ? [] : endpoint), ...filled], token);
    expect(ended.err).toMatch(message);
    expect([1, 2]).toContain(ended.status);
    expect(ended.err).not.toContain('s3cr3t');
  });

  it('at a port in use, in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const ended = await failure([...endpoint, '--port', String(port)]);
    taken.close();
    expect(ended).toEqual({
      status: 1,
      err: `ecr-upload-proxy: Port ${port} is in use: choose another with --port.\n`,
    });
  });
});

describe('the bridge', () => {
  it.each([
    ['on loopback', [], /^Registry +http:\/\/127\.0\.0\.1:\d+\n/],
    [
      'on the network with TLS and a password',
      ['--listen', '0.0.0.0', '--tls-cert', 'CERT', '--tls-key', 'KEY', '--password-file', 'PASSWORD'],
      /^Registry +https:\/\/0\.0\.0\.0:\d+\n/,
    ],
  ])('serves %s until Ctrl-C', async (_, args, message) => {
    const named: Record<string, string> = { CERT: files.cert, KEY: files.key, PASSWORD: files.password };
    const child = start([...endpoint, '--port', '0', ...args.map((argument) => named[argument] ?? argument)]);
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toMatch(message);
    expect(String(said)).not.toMatch(/s3cr3t|sesame/);
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    expect(status).toBe(0);
  });
});
