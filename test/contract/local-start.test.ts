// `npm start` as whoever types it meets it: what it prints, and how it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const anyPorts = { PORT: '0', ECR_PORT: '0', S3_PORT: '0', REGISTRY_PORT: '0' };

function start(flags: string[], environment: Record<string, string> = {}) {
  const LOCAL_DATA = mkdtempSync(join(tmpdir(), 'local-start-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../local/start.ts'), ...flags], {
    env: { ...process.env, ...anyPorts, LOCAL_DATA, ...environment },
  });
  const output = { text: '' };
  child.stdout.on('data', (chunk) => {
    output.text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.text += chunk;
  });
  return { child, output };
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) {
    await once(child, 'close');
  }
  return child.exitCode;
}

describe('npm start', () => {
  it('prints how it is used', async () => {
    const { child, output } = start(['--help']);
    expect(await ended(child)).toBe(0);
    expect(output.text).toContain('Usage: npm start');
  });

  it.each([
    ['an unknown flag', ['--verbose'], {}, '--verbose'],
    ['another upstream', ['--upstream', 'gcp'], {}, 'expected aws'],
    ['an endpoint that is no URL', ['--ecr-endpoint', 'localhost'], {}, 'expected an http or https URL'],
    ['a port that is none', [], { PORT: 'http' }, 'PORT is http: expected a port'],
    ['AWS without an account', ['--upstream', 'aws'], { AWS_ACCOUNT_ID: '' }, 'AWS_ACCOUNT_ID'],
  ])('refuses %s with exit status 2', async (_, flags, environment, message) => {
    const { child, output } = start(flags, environment);
    expect(await ended(child)).toBe(2);
    expect(output.text).toContain(message);
  });

  it.each(['PORT', 'ECR_PORT', 'S3_PORT', 'REGISTRY_PORT'])(
    'says in one line that %s is in use',
    async (variable) => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const address = other.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const { child, output } = start([], { [variable]: String(port) });
      expect(await ended(child)).toBe(1);
      expect(output.text).toBe(`Port ${port} is in use: set ${variable} to a free one.\n`);
      other.close();
    },
  );

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'serves what it prints until %s',
    { timeout: 600_000 },
    async (signal) => {
      const { child, output } = start([]);
      await expect.poll(() => output.text, { timeout: 540_000 }).toContain('Ctrl-C ends it');
      const curl = /curl -i (?<url>\S+) [\s\S]*Bearer (?<token>\S+)'[\s\S]*-d '(?<body>.*)'/.exec(
        output.text,
      );
      const { url = '', token, body = '' } = curl?.groups ?? {};
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
      });
      expect(response.status).toBe(201);

      const registry = /^Registry +(?<url>\S+)$/m.exec(output.text)?.groups?.url;
      const authorization = `Basic ${Buffer.from(`any:${token}`).toString('base64')}`;
      const begun = await fetch(`${registry}/v2/team-a/app/blobs/uploads/`, {
        method: 'POST',
        headers: { authorization },
      });
      expect(begun.status).toBe(202);
      child.kill(signal);
      expect(await ended(child)).toBe(0);
      await expect(fetch(url)).rejects.toThrow('fetch failed');
    },
  );
});
