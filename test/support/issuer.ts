// An OIDC issuer on loopback: signs tokens, publishes its keys, counts who asks for them.

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { closeServer, urlOf } from '../../local/address.ts';

export type Json = Record<string, unknown>;

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const generate = {
  RS256: (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

type Algorithm = keyof typeof generate;

const signatures: Record<Algorithm, (input: string, key: KeyObject) => Buffer> = {
  RS256: (input, key) => sign('sha256', Buffer.from(input), key),
  ES256: (input, key) => sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (input, key) => sign(null, Buffer.from(input), key),
};

/** `modulusLength` is of RSA keys alone. */
export function makeKey(kid: string, alg: Algorithm = 'RS256', modulusLength = 2_048) {
  const { privateKey, publicKey } = generate[alg](modulusLength);
  const jwk: Json = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { kid, alg, privateKey, publicKey, jwk };
}

export type Key = ReturnType<typeof makeKey>;

export const now = () => Math.floor(Date.now() / 1_000);

/** Header and payload may be given as text, for what no JSON writer would write. */
export function signToken(key: Key, payload: Json | string, header: Json | string = {}): string {
  const head = typeof header === 'string' ? header : { alg: key.alg, kid: key.kid, typ: 'JWT', ...header };
  const input = `${encode(head)}.${encode(payload)}`;
  return `${input}.${signatures[key.alg](input, key.privateKey).toString('base64url')}`;
}

export function signHmac(secret: string | Buffer, payload: Json, header: Json): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export const unsigned = (payload: Json | string, header: Json | string, signature = ''): string =>
  `${encode(header)}.${encode(payload)}.${signature}`;

export async function startIssuer(keys: readonly Key[] = [makeKey('key-1')]) {
  const [key] = keys;
  if (!key) {
    throw new Error('an issuer has a key');
  }
  const state = {
    published: [...keys],
    /** What is asked of it, in order. */
    requests: [] as string[],
    /** What it answers instead of its keys. */
    status: 200,
    body: undefined as string | undefined,
    /** What its key set is instead. */
    keySet: undefined as string | undefined,
    /** What it sends before everything. */
    prefix: '',
    /** How many of the next requests it resets. */
    resets: 0,
    /** It has its answer ready, and sends it only after this. */
    held: Promise.resolve(),
  };
  const server = createServer(async (request, response) => {
    state.requests.push(String(request.url));
    if (state.resets > 0) {
      state.resets -= 1;
      request.destroy();
      return;
    }
    const bodies: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
      '/keys': { keys: state.published.map(({ jwk }) => jwk) },
    };
    const keySet = request.url === '/keys' ? state.keySet : undefined;
    const body = state.body ?? keySet ?? JSON.stringify(bodies[String(request.url)] ?? {});
    await state.held;
    response.writeHead(state.status, { 'content-type': 'application/json' }).end(state.prefix + body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = urlOf(server);
  return {
    ...{ issuer, key, state },
    claims: (more: Json = {}): Json => ({
      iss: issuer,
      aud: 'ecr-upload-proxy',
      sub: 'repo:team-a/app:ref:refs/heads/main',
      iat: now(),
      nbf: now() - 5,
      exp: now() + 300,
      ...more,
    }),
    close: () => closeServer(server),
  };
}

export type TestIssuer = Awaited<ReturnType<typeof startIssuer>>;
