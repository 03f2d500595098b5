// The OCI front at a Unix socket. A file of its own, since only a process can set its umask, and no thread of one.

import { once } from 'node:events';
import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { startRegistryServer } from '../../registry/front/server.ts';

async function refuseAll(): Promise<never> {
  throw new ProxyError('UnrecognizedClientException');
}

async function start(socket: string) {
  const server = await startRegistryServer({ address: { socket }, registry: 'ecr', open: refuseAll });
  onTestFinished(() => server.close());
  return server;
}

async function statusOf(socketPath: string): Promise<number | undefined> {
  const asked = request({ socketPath, path: '/v2/', agent: false }).end();
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  answer?.resume();
  return answer?.statusCode;
}

describe('a server', () => {
  it('listens at a socket that is its owner’s alone, from its first moment on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'registry-server-'));
    const socket = join(folder, 'socket');
    const before = process.umask();
    const { url } = await start(socket);
    expect(url).toBe(`unix:${socket}`);
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
    expect(await statusOf(socket)).toBe(401);
    await expect(start(socket)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(process.umask()).toBe(before);
    expect(await readdir(folder)).toEqual(['socket']);
  });
});
