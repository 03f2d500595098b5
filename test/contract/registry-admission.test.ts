// What a browser can send, at the registry endpoint: refused before anything is done, whoever's token it would use.

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { identitiesOf } from '../../client/bridge/identities.ts';
import type { RegistryServer } from '../../registry/front/server.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';

let proxy: CountingProxy;
let registry: RegistryServer;
let known: RegistryServer;
let behindSocket: RegistryServer;
let directory: string;

beforeAll(async () => {
  proxy = await startCountingProxy();
  directory = await mkdtemp(join(tmpdir(), 'admission-'));
  const identities = identitiesOf({ endpoint: proxy.url, lent: { token: 'eup_a_b', to: 'everyone' } });
  const address = { host: '127.0.0.1', port: 0 };
  registry = await serveBridge({ address, identities, registry: 'ecr' });
  const hostNames = [{ name: 'registry.internal' }, { name: 'registry.test', port: 8443 }];
  known = await serveBridge({ address, identities, registry: 'ecr', hostNames });
  behindSocket = await serveBridge({
    address: { socket: join(directory, 'bridge.sock') },
    identities,
    registry: 'ecr',
  });
});
afterAll(async () => {
  for (const one of [registry, known, behindSocket]) {
    await one?.close();
  }
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };

/** As it is written: `fetch` would set some of these headers itself. */
const send = (options: RequestOptions, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest({ agent: false, ...options }, (answer) => {
      text(answer).then(
        (received) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }),
        reject,
      );
    });
    sent.on('error', reject).end(body);
  });

function ask(
  endpoint: RegistryServer,
  headers: Record<string, string | string[]>,
  [method, path]: readonly [string, string] = ['GET', '/v2/'],
) {
  const { hostname, port } = new URL(endpoint.url);
  return send({ hostname, port, method, path, headers });
}

const portOf = ({ url }: RegistryServer) => new URL(url).port;

const everyRequest: [string, string][] = [
  ['GET', '/v2/'],
  ['HEAD', '/v2/'],
  ['OPTIONS', '/v2/team-a/app/blobs/uploads/'],
  ['POST', '/v2/team-a/app/blobs/uploads/'],
  ['POST', '/v2/team-a/app/blobs/uploads/?digest=x'],
  ['PATCH', '/v2/team-a/app/blobs/uploads/x'],
  ['PUT', '/v2/team-a/app/manifests/1.0'],
  ['DELETE', '/v2/team-a/app/blobs/uploads/x'],
  ['GET', '/'],
  ['GET', '/favicon.ico'],
  ['GET', '/%zz'],
];

const fromBrowser: [string, Record<string, string>][] = [
  ['a name of the attacker’s', { host: 'attacker.example:PORT' }],
  ['a name of the attacker’s that begins like ours', { host: '127.0.0.1.attacker.example:PORT' }],
  ['a name of the attacker’s that ends like ours', { host: 'attacker.localhost:PORT' }],
  ['our name as a user', { host: '127.0.0.1@attacker.example:PORT' }],
  ['our name with a dot', { host: 'localhost.:PORT' }],
  ['another port', { host: '127.0.0.1:1' }],
  ['no port', { host: '127.0.0.1' }],
  ['the address of no one', { host: '0.0.0.0:PORT' }],
  ['an origin', { origin: 'http://attacker.example' }],
  ['an origin that is hidden', { origin: 'null' }],
  ['an origin that is ours', { origin: 'http://127.0.0.1:PORT' }],
  ['an empty origin', { origin: '' }],
  ['another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ['our own site', { 'sec-fetch-site': 'same-origin' }],
  ['the address bar', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
  ['a preflight', { origin: 'http://attacker.example', 'access-control-request-method': 'PUT' }],
  ['a socket', { origin: 'http://attacker.example', upgrade: 'websocket', connection: 'Upgrade' }],
  ['a form', { origin: 'http://attacker.example', 'content-type': 'text/plain' }],
  ['a body of no type', { origin: 'http://attacker.example', 'content-type': 'no type' }],
];

describe('a web page that comes with', () => {
  it.each(fromBrowser)('%s is refused, and the proxy hears nothing of it', async (_, headers) => {
    const filled = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', portOf(registry))]),
    );
    const before = proxy.requests();
    for (const request of everyRequest) {
      const answer = await ask(registry, filled, request);
      expect(answer.status, request.join(' ')).toBe(403);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
      for (const name of Object.keys(answer.headers)) {
        expect(name).not.toMatch(/^access-control-|^allow$/);
      }
      if (request[0] !== 'HEAD') {
        expect(JSON.parse(answer.body)).toEqual({
          errors: [
            {
              code: 'DENIED',
              message: expect.stringMatching(/Host header|web page/),
              detail: { code: 'AccessDeniedException' },
            },
          ],
        });
      }
    }
    expect(proxy.requests()).toBe(before);
  });
});

describe('a container tool that comes with', () => {
  it.each(['127.0.0.1', 'localhost', 'LocalHost', '[::1]'])('the name %s is let in', async (name) => {
    const answer = await ask(registry, { host: `${name}:${portOf(registry)}` });
    expect([answer.status, answer.body]).toEqual([200, '{}']);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  it('what Node.js’s own fetch sends is let in', async () => {
    expect((await fetch(`${registry.url}/v2/`)).status).toBe(200);
  });

  it.each([
    ['registry.internal', 200],
    ['registry.internal:1', 200],
    ['Registry.Internal:8443', 200],
    ['registry.test:8443', 200],
    ['registry.test', 403],
    ['registry.test:8444', 403],
    ['sub.registry.internal', 403],
  ])('the name %s, where two were given, is answered %i', async (host, status) => {
    expect((await ask(known, { host })).status).toBe(status);
  });

  it('a name of 16,000 characters is answered at once', async () => {
    const before = process.cpuUsage();
    await ask(registry, { host: `${'1.'.repeat(8_000)}:` }).catch(() => {});
    const { user } = process.cpuUsage(before);
    expect(user).toBeLessThan(500_000);
  });
});

describe('a request that names', () => {
  const raw = (lines: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(portOf(registry)), '127.0.0.1', () =>
        socket.end(`${lines.join('\r\n')}\r\n\r\n`),
      );
      socket.on('error', reject);
      text(socket).then(resolve, reject);
    });

  it.each([
    ['no host, in HTTP/1.0', 400, ['GET /v2/ HTTP/1.0']],
    ['no host, in HTTP/1.1', 400, ['GET /v2/ HTTP/1.1', 'Connection: close']],
    [
      'two',
      400,
      ['GET /v2/ HTTP/1.1', 'Host: 127.0.0.1:PORT', 'Host: attacker.example', 'Connection: close'],
    ],
    ['an empty one', 403, ['GET /v2/ HTTP/1.1', 'Host:', 'Connection: close']],
  ])('%s, is answered %i', async (_, status, lines) => {
    const filled = lines.map((line) => line.replace('PORT', portOf(registry)));
    expect((await raw(filled)).split(' ', 2)).toEqual(['HTTP/1.1', String(status)]);
  });

  it('another one in its first line, is not let in by that', async () => {
    const host = `Host: 127.0.0.1:${portOf(registry)}`;
    const answer = await raw(['GET http://attacker.example/v2/ HTTP/1.1', host, 'Connection: close']);
    expect(answer).not.toMatch(/^HTTP\/1\.1 2/);
  });
});

describe('a Unix socket', () => {
  it('is its owner’s alone, and knows its own names at any port', async () => {
    const socketPath = behindSocket.url.replace('unix:', '');
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    const statusOf = async (headers: Record<string, string>) =>
      (await send({ socketPath, path: '/v2/', headers })).status;
    expect(await statusOf({ host: 'localhost' })).toBe(200);
    expect(await statusOf({ host: '127.0.0.1:5000' })).toBe(200);
    expect(await statusOf({ host: 'attacker.example' })).toBe(403);
    expect(await statusOf({ host: 'localhost', origin: 'http://localhost' })).toBe(403);
  });
});
