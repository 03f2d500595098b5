// What an issuer's addresses may answer: where keys are read from, and how much and how long is read.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keySetTimeoutMs, maxKeySetBytes } from '../../api/limits.ts';
import { fetchKeySet } from '../../lambda/identity/key-set.ts';

const issuer = { issuer: 'https://issuer.example', audience: ['here'], audienceClaim: 'aud' as const };
const discovery = `${issuer.issuer}/.well-known/openid-configuration`;
const keys = `${issuer.issuer}/keys`;
const key = { kid: 'key-1', kty: 'RSA', n: 'AQAB', e: 'AQAB' };

type Answer = (init: RequestInit | undefined) => Response | Promise<Response>;

let answers: Record<string, Answer>;
let asked: { url: string; init: RequestInit | undefined }[];

const json =
  (body: unknown): Answer =>
  () =>
    Response.json(body);

beforeEach(() => {
  answers = {
    [discovery]: json({ issuer: issuer.issuer, jwks_uri: keys }),
    [keys]: json({ keys: [key] }),
  };
  asked = [];
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    asked.push({ url, init });
    const answer = answers[url];
    if (!answer) {
      throw new Error('nobody is there');
    }
    return answer(init);
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const urls = () => [...new Set(asked.map(({ url }) => url))];

describe('the keys of an issuer', () => {
  it('are at the address that its discovery document names', async () => {
    expect(await fetchKeySet(issuer)).toEqual([key]);
    expect(urls()).toEqual([discovery, keys]);
  });

  it.each([
    ['', 'https://issuer.example'],
    ['with a path', 'https://issuer.example/realms/a'],
    ['with a slash at its end', 'https://issuer.example/realms/a/'],
  ])('are found by discovery for an issuer %s', async (_, name) => {
    const url = `${name.replace(/\/$/, '')}/.well-known/openid-configuration`;
    answers[url] = json({ issuer: name, jwks_uri: keys });
    expect(await fetchKeySet({ ...issuer, issuer: name })).toEqual([key]);
    expect(urls()).toEqual([url, keys]);
  });

  it.each<[string, unknown]>([
    ['of another issuer', { issuer: 'https://issuer.example.evil.test', jwks_uri: keys }],
    ['of the issuer with a slash, which is another', { issuer: `${issuer.issuer}/`, jwks_uri: keys }],
    ['of nobody', { jwks_uri: keys }],
    [
      'that names a key set over plain HTTP',
      { issuer: issuer.issuer, jwks_uri: 'http://issuer.example/keys' },
    ],
    ['that names a key set on this machine', { issuer: issuer.issuer, jwks_uri: 'http://127.0.0.1/keys' }],
    ['that names a file', { issuer: issuer.issuer, jwks_uri: 'file:///keys' }],
    ['that only contains an https URL', { issuer: issuer.issuer, jwks_uri: `data:,${keys}` }],
    ['without a key set', { issuer: issuer.issuer }],
  ])('are not read from a discovery document %s', async (_, document) => {
    answers[discovery] = json(document);
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({
      ...{ name: 'KeySetError', isLasting: true },
      message: expect.stringMatching(
        /^https:\S+ (is no discovery document|is the discovery document of another issuer|names a key set that is not at an https URL)$/,
      ),
    });
    expect(urls()).toEqual([discovery]);
  });

  it('are those of the entries that are keys', async () => {
    answers[keys] = json({ keys: [{}, null, 'key', { kid: 'key-2' }, key, ['RSA']] });
    expect(await fetchKeySet(issuer)).toEqual([key]);
  });

  it('are asked for as JSON', async () => {
    await fetchKeySet(issuer);
    expect(asked.map(({ init }) => init?.headers)).toEqual(asked.map(() => ({ accept: 'application/json' })));
  });

  it('may be at an http URL for an issuer on this machine alone', async () => {
    const here = 'http://127.0.0.1:8080';
    answers[`${here}/.well-known/openid-configuration`] = json({ issuer: here, jwks_uri: `${here}/keys` });
    answers[`${here}/keys`] = json({ keys: [key] });
    expect(await fetchKeySet({ ...issuer, issuer: here })).toEqual([key]);
  });
});

describe.each([
  ['a discovery document', discovery],
  ['a key set', keys],
])('the answer for %s', (_, url) => {
  it.each([300, 301, 302, 303, 307, 308, 399])('may not be a redirect: HTTP %i', async (status) => {
    answers[url] = () => new Response(null, { status, headers: { location: 'https://evil.test/' } });
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({
      isLasting: true,
      message: `${url} redirects (HTTP ${status}), and redirects are not followed`,
    });
    // fetch would follow it by itself.
    expect(asked.map(({ init }) => init?.redirect)).toEqual(asked.map(() => 'manual'));
  });

  it.each([
    [400, true],
    [404, true],
    [408, false],
    [425, false],
    [429, false],
    [499, true],
    [500, false],
    [503, false],
    [204, true],
  ])('of HTTP %i is no keys; lasting: %s', async (status, isLasting) => {
    answers[url] = () => new Response(status === 204 ? null : '{}', { status });
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({
      isLasting,
      message: `${url} answers with HTTP ${status}`,
    });
  });

  it('may not be empty', async () => {
    answers[url] = () => new Response(null);
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({ isLasting: true });
  });

  it('is read to the largest size, and not a byte further', async () => {
    const read = answers[url];
    const text = await (await read?.(undefined))?.text();
    answers[url] = () => new Response(text?.padEnd(maxKeySetBytes));
    expect(await fetchKeySet(issuer)).toEqual([key]);
    answers[url] = () => new Response(text?.padEnd(maxKeySetBytes + 1));
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({
      isLasting: true,
      message: expect.stringContaining(`${maxKeySetBytes} bytes`),
    });
  });

  it('that never ends is left off at the largest size', async () => {
    let sent = 0;
    answers[url] = () => {
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          sent += 65_536;
          controller.enqueue(new Uint8Array(65_536));
          if (sent > 10 * maxKeySetBytes) {
            controller.error(new Error('read too far'));
          }
        },
      });
      return new Response(endless);
    };
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({ isLasting: true });
    expect(sent).toBeLessThan(4 * maxKeySetBytes);
  });

  it('is waited for as long as the limit says, and one that comes later may come in time again', async () => {
    const { signal } = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(signal);
    answers[url] = () => Promise.reject(new DOMException('too late', 'TimeoutError'));
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({ name: 'KeySetError', isLasting: false });
    expect(timeout.mock.calls).toEqual(asked.map(() => [keySetTimeoutMs]));
    expect(asked.map(({ init }) => init?.signal)).toEqual(asked.map(() => signal));
  });

  it.each(['', '<html>', '[]', 'null', '{"keys":{}}', '{"keys":null,"issuer":7,"jwks_uri":7}'])(
    'cannot be %j, which is not quoted',
    async (text) => {
      answers[url] = () => new Response(text);
      const failure: unknown = await fetchKeySet(issuer).catch((error: unknown) => error);
      const message = `${url} is no ${url === keys ? 'key set' : 'discovery document'}`;
      expect(failure).toMatchObject({ name: 'KeySetError', isLasting: true, cause: undefined, message });
    },
  );

  it('is asked for a second time, and no third', async () => {
    answers[url] = () => new Response('{}', { status: 500 });
    await expect(fetchKeySet(issuer)).rejects.toThrow('HTTP 500');
    expect(asked.filter((one) => one.url === url)).toHaveLength(2);
  });
});

describe('an address that cannot be reached', () => {
  it.each([
    ['ENOTFOUND', true],
    ['CERT_HAS_EXPIRED', true],
    ['ERR_TLS_CERT_ALTNAME_INVALID', true],
    ['SELF_SIGNED_CERT_IN_CHAIN', true],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', true],
    ['ECONNRESET', false],
    ['EAI_AGAIN', false],
  ])('for %s is lasting: %s', async (code, isLasting) => {
    answers[discovery] = () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
    };
    await expect(fetchKeySet(issuer)).rejects.toMatchObject({
      isLasting,
      message: `${discovery} cannot be read`,
      cause: expect.any(TypeError),
    });
  });
});
