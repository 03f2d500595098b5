// The registry endpoint under requests of any method, path, host and header: refused or answered, never a fault.

import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { linesOf } from '../../cli/bridge/request-log.ts';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { identitiesOf, type LentToken } from '../../client/bridge/identities.ts';
import type { RegistryServer } from '../../registry/front/server.ts';
import { type CountingProxy, startCountingProxy } from '../support/counting-proxy.ts';
import { fuzzed } from '../support/fuzzing.ts';

const secrets = { token: 'eup_team-a-ci_s3cr3t', password: 's3cr3t sesame', tried: 's3cr3t-tried' };
const basic = (secret: string) => `Basic ${Buffer.from(`any:${secret}`).toString('base64')}`;

const lenders: Record<string, LentToken | undefined> = {
  'own tokens': undefined,
  'a password': { token: secrets.token, to: { password: secrets.password } },
  'lent to everyone': { token: secrets.token, to: 'everyone' },
};

let proxy: CountingProxy;
const endpoints = new Map<string, RegistryServer>();
const lines: string[] = [];
beforeAll(async () => {
  proxy = await startCountingProxy();
  for (const [mode, lent] of Object.entries(lenders)) {
    const identities = identitiesOf({ endpoint: proxy.url, lent });
    const address = { host: '127.0.0.1', port: 0 };
    endpoints.set(
      mode,
      await serveBridge({
        address,
        identities,
        registry: 'ecr',
        onServed: (served) => lines.push(...linesOf(served)),
      }),
    );
  }
});
afterAll(async () => {
  for (const endpoint of endpoints.values()) {
    await endpoint.close();
  }
  await proxy?.close();
});

/** A header's value as Node.js sends one; what else there is never leaves a client. */
const headerValue = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 60,
  })
  .map((value) => value.trim());
const segment = fc.oneof(
  fc.constantFrom(
    'v2',
    'team-a',
    'app',
    'blobs',
    'uploads',
    'manifests',
    'tags',
    'list',
    'referrers',
    '',
    '.',
    '..',
  ),
  fc.constantFrom('%', '%zz', '%00', '%2e%2e', '%2F', '%c0%ae', `sha256:${'0'.repeat(64)}`, '[', '__proto__'),
  fc.stringMatching(/^[!-"$->@-~]{0,40}$/),
);
const prefixes = [
  '',
  '/v2',
  ...['blobs/uploads', 'blobs', 'manifests', 'tags/list', 'referrers'].map((end) => `/v2/team-a/app/${end}`),
];
const query = fc.oneof(
  fc.stringMatching(/^[!-~]{0,60}$/),
  fc.constantFrom(
    'digest=x',
    `digest=sha256:${'0'.repeat(64)}`,
    'n=-1',
    'n=1&last=%zz',
    'mount=x&from=y',
    'artifactType=%',
  ),
);
const path = fc
  .tuple(
    fc.constantFrom(...prefixes),
    fc.array(segment, { maxLength: 4 }),
    fc.option(query, { nil: undefined }),
  )
  .map(([prefix, rest, asked]) => {
    const whole = [prefix, ...rest].join('/') || '/';
    return asked === undefined ? whole : `${whole}?${asked}`;
  });
const hosts = [
  'OWN',
  'OWN',
  'OWN',
  'attacker.example',
  'localhost',
  '[::1]',
  '[',
  '::1',
  '127.0.0.1:99999999',
  '@',
];
const authorizations = [
  'Basic',
  'Bearer  ',
  ...Object.values(secrets).flatMap((one) => [basic(one), `Bearer ${one}`]),
];
const headers = fc.record(
  {
    host: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...hosts) }, headerValue),
    authorization: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...authorizations) }, headerValue),
    origin: fc.constantFrom('null', 'http://127.0.0.1'),
    'sec-fetch-site': headerValue,
    'content-type': headerValue,
    'content-range': fc.oneof(headerValue, fc.constantFrom('0-9', 'bytes 0-9/*', '99999999999999999999-1')),
    accept: headerValue,
    upgrade: fc.constantFrom('websocket', 'h2c'),
  },
  { requiredKeys: ['host'] },
);
const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'MKCOL',
];

type Asked = { mode: string; method: string; path: string; headers: Record<string, string>; body: string };
const asked: fc.Arbitrary<Asked> = fc.record({
  mode: fc.constantFrom(...Object.keys(lenders)),
  method: fc.constantFrom(...methods),
  path,
  headers,
  body: fc.string({ maxLength: 200 }),
});

const ask = ({ mode, method, path, headers, body }: Asked): Promise<{ status: number; answer: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(endpoints.get(mode)?.url ?? '');
    const filled = {
      ...headers,
      host: headers.host === 'OWN' ? host : headers.host,
      'content-length': Buffer.byteLength(body),
    };
    const sent = request({ hostname, port, method, path, headers: filled, agent: false }, (answer) => {
      const head = JSON.stringify(answer.headers);
      text(answer).then((read) => resolve({ status: answer.statusCode ?? 0, answer: head + read }), reject);
    });
    sent.setTimeout(60_000, () => sent.destroy(new Error('no answer within 60 s')));
    sent.on('error', reject).end(body);
  });

it('answers each with less than 500, shows no secret, and lets no browser pass', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(asked, async (one) => {
      const { status, answer } = await ask(one);
      expect(status).toBeLessThan(500);
      expect(answer).not.toMatch(/s3cr3t/);
      if (one.headers.host === 'attacker.example' || one.headers.origin || 'sec-fetch-site' in one.headers) {
        expect([400, 403]).toContain(status);
      }
    }),
    fuzzed(6_000),
  );
  for (const line of lines) {
    expect(line).not.toMatch(/s3cr3t|a fault/);
  }
});
