// `bridge` as a user calls it: whom it lets in, what it says when it cannot serve, and how it ends.

import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCountingProxy } from '../support/counting-proxy.ts';
import { RawConnection } from '../support/raw-http.ts';

const commandLine = join(import.meta.dirname, '../../cli/main.ts');
const run = promisify(execFile);
const endpoint = ['--endpoint', 'http://127.0.0.1:1'];

let directory: string;
let files: Record<'cert' | 'key' | 'password' | 'socket', string>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridge-'));
  files = {
    cert: join(directory, 'cert.pem'),
    key: join(directory, 'key.pem'),
    password: join(directory, 'password'),
    socket: join(directory, 'bridge.sock'),
  };
  await writeFile(files.password, 'open sesame\n');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1'];
  const others = ['-addext', 'subjectAltName=DNS:localhost,DNS:registry.test'];
  await run('openssl', [...request, ...others, '-keyout', files.key, '-out', files.cert]);
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
    ['without a proxy', [], '', /required option '--endpoint/],
    ['open to the network without TLS', ['--listen', '0.0.0.0'], '', /give --tls-cert and --tls-key/],
    [
      'lending its token to the network',
      ['--listen', '0.0.0.0', '--lend-token', '--tls-cert', 'CERT', '--tls-key', 'KEY'],
      undefined,
      /give --password-file instead, or no token at all/,
    ],
    ['with a password that guards nothing', ['--password-file', 'PASSWORD'], '', /it has none/],
    ['lending what it has not got', ['--lend-token'], '', /it has none/],
    [
      'with a token, and nobody said who may push with it',
      [],
      undefined,
      /who may push with it: --lend-token/,
    ],
    [
      'with a token for all and for some',
      ['--lend-token', '--password-file', 'PASSWORD'],
      undefined,
      /cannot be/,
    ],
    ['at a socket and a port', ['--socket', 'x', '--port', '1'], '', /cannot be used with/],
    ['with a host name that is none', ['--host-name', 'http://x'], '', /a name or an address/],
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
    const ended = await failure([...endpoint, '--lend-token', '--port', String(port)]);
    taken.close();
    expect(ended).toEqual({
      status: 1,
      err: `ecr-upload-proxy: Port ${port} is in use: choose another with --port.\n`,
    });
  });
});

describe('the endpoint of the proxy', () => {
  const cleartext = ['--endpoint', 'http://proxy.internal:8080/prod'];

  it('is refused over plain http beyond this machine, before a token is sent', async () => {
    const ended = await failure([...cleartext, '--port', '0'], '');
    expect(ended.status).toBe(2);
    expect(ended.err).toMatch(/proxy\.internal.*could read the token.*--allow-cleartext/);
  });

  it('is accepted from every client', async () => {
    const child = start([...cleartext, '--allow-cleartext', '--port', '0'], '');
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toContain('http://proxy.internal:8080/prod');
    child.kill('SIGINT');
    await once(child, 'close');
  });

  it('that holds a password is refused without being shown', async () => {
    const ended = await failure(['--endpoint', 'https://user:s3cr3t@x.test', '--port', '0'], '');
    expect(ended).toEqual({ status: 2, err: expect.stringContaining('must have no user, password') });
    expect(ended.err).not.toContain('s3cr3t');
  });
});

describe('the bridge', () => {
  const names = { CERT: 'cert', KEY: 'key', PASSWORD: 'password', SOCKET: 'socket' } as const;
  const isNamed = (argument: string): argument is keyof typeof names => argument in names;
  const beyond = ['--listen', '0.0.0.0', '--port', '0', '--tls-cert', 'CERT', '--tls-key', 'KEY'];
  const rows: [string, string[], string | undefined, RegExp][] = [
    [
      'on loopback, for whoever logs in with a token',
      ['--port', '0'],
      '',
      /^Registry +http:\/\/127\.0\.0\.1:\d+\n.*\nToken +each client's own.*docker login 127/s,
    ],
    [
      'on loopback, for every user of the machine',
      ['--port', '0', '--lend-token'],
      undefined,
      /^Registry +http:\/\/127\.0\.0\.1:\d+\n.*lent: nobody can log in here, and every user of this machine may push/s,
    ],
    [
      'at a socket',
      ['--socket', 'SOCKET', '--lend-token'],
      undefined,
      /^Registry +unix:\S+\n.*every user who may open \S+ may push with it/s,
    ],
    [
      'on the network with TLS, for whoever logs in with a token',
      beyond,
      '',
      /^Registry +https:\/\/0\.0\.0\.0:\d+\n.*each client's own/s,
    ],
    [
      'on the network with TLS and a password',
      [...beyond, '--password-file', 'PASSWORD'],
      undefined,
      /^Registry +https:\/\/0\.0\.0\.0:\d+\n.*the password of the bridge/s,
    ],
  ];
  it.each(rows)('serves %s, until Ctrl-C', async (_, args, token, message) => {
    const filled = args.map((argument) => (isNamed(argument) ? files[names[argument]] : argument));
    const child = start([...endpoint, ...filled], token);
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toMatch(message);
    expect(String(said)).not.toMatch(/s3cr3t|sesame/);
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    expect(status).toBe(0);
    expect(existsSync(files.socket)).toBe(false);
  });

  it('listens again at the socket that a killed one has left, and not at one that is in use', async () => {
    const atSocket = [...endpoint, '--socket', files.socket, '--lend-token'];
    const killed = start(atSocket);
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'close');
    expect(existsSync(files.socket)).toBe(true);

    const next = start(atSocket);
    const [said] = await Promise.race([once(next.stdout, 'data'), once(next, 'close')]);
    expect(String(said)).toContain(`Registry   unix:${files.socket}`);
    const second = await failure(atSocket);
    expect(second.status).toBe(1);
    expect(second.err).toBe(
      `ecr-upload-proxy: Something listens at ${files.socket} already, or it is no socket: choose another with --socket.\n`,
    );
    next.kill('SIGINT');
    expect((await once(next, 'close'))[0]).toBe(0);
  });

  it('is known on the network by the names of its certificate', async () => {
    const child = start(
      [...endpoint, ...beyond.map((name) => (isNamed(name) ? files[names[name]] : name))],
      '',
    );
    const [said] = await once(child.stdout, 'data');
    const port = Number(/0\.0\.0\.0:(\d+)/.exec(String(said))?.[1]);
    const ca = await readFile(files.cert);
    const statusOf = (host: string) =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', servername: 'localhost', port, path: '/v2/', ca };
        get({ ...options, headers: { host: `${host}:${port}` } }, ({ statusCode }) => resolve(statusCode)).on(
          'error',
          reject,
        );
      });
    expect(await statusOf('registry.test')).toBe(401);
    expect(await statusOf('127.0.0.1')).toBe(401);
    expect(await statusOf('attacker.example')).toBe(403);
    child.kill('SIGINT');
    await once(child, 'close');
  });

  it('ends after the uploads under way at the first Ctrl-C, and at once at the second', async () => {
    const proxy = await startCountingProxy();
    const child = start(['--endpoint', proxy.url, '--port', '0', '--quiet'], '');
    const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = Number(/:(\d+)$/.exec((await said.next()).value ?? '')?.[1]);
    const client = new RawConnection(port);
    const place = '/v2/team-a/app/blobs/uploads/00000000-0000-0000-0000-000000000000_0';
    const headers = ['Authorization: Bearer eup_a_b', 'Content-Length: 9', 'Expect: 100-continue'];
    await client.head(`PATCH ${place} HTTP/1.1`, ...headers);
    expect((await client.answer()).status).toBe(100);
    child.kill('SIGINT');
    for (let line = ''; !line.startsWith('Uploads under way: 1.'); ) {
      line = (await said.next()).value ?? '';
    }
    expect(child.exitCode).toBe(null);
    child.kill('SIGINT');
    const [, signal] = await once(child, 'close');
    expect(signal).toBe('SIGINT');
    await proxy.close();
  });

  it.skipIf(process.platform !== 'linux').each([
    ['on a full disk', 'exec "$@" > /dev/full 2> /dev/full'],
    ['of a pipe that nobody reads any more', '(exec "$@") | head -c 1; wait'],
  ])('goes on serving without a log %s', async (_, script) => {
    const socket = join(directory, `log-${randomUUID()}.sock`);
    const command = [process.execPath, commandLine, 'bridge', ...endpoint, '--socket', socket];
    const child = spawn('sh', ['-c', script, 'sh', ...command], {
      env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: '' },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    const statusOf = () =>
      new Promise((resolve, reject) => {
        httpGet({ socketPath: socket, path: '/v2/', headers: { host: 'localhost' } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).on('error', reject);
      });
    await expect.poll(() => statusOf().catch(() => 0)).toBe(401);
    for (let count = 0; count < 20; count += 1) {
      expect(await statusOf()).toBe(401);
    }
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
});
