// Session tokens: a caller's identity, signed with a key derived from the sealing key, valid as long as a push takes.

import { hkdfSync } from 'node:crypto';
import { errors as joseErrors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Issuer } from '../../api/issuers.ts';
import { maxSessionTokenCharacters, sessionClockSkewMs } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { opensWith, type SealingKeys, sealsWith } from '../../api/sealing-keys.ts';
import { type SessionToken, sessionTokenPrefix } from '../../api/session-tokens.ts';
import { type Principal, workload } from '../../policy/principal.ts';
import { findClientToken, type KnownBy, knownByOf } from './client-token.ts';
import type { SecretReader } from './secret.ts';

/** What a session token contains: how its client token is identified in the secret, or the claims of its OIDC token. */
const content = z.union([
  z.object({ client: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({
    claims: z
      .record(z.string(), z.union([z.string(), z.array(z.string())]))
      .and(z.object({ iss: z.string(), sub: z.string() })),
  }),
]);

type Content = z.output<typeof content>;

const algorithm = 'HS256';
const typ = 'session+jwt';

/** The sealing key is never used for two purposes. Source: RFC 5869, section 3.2. */
const signingKeyOf = (sealingKey: string) =>
  new Uint8Array(hkdfSync('sha256', sealingKey, '', 'ecr-upload-proxy session tokens', 32));

const refused = (detail: string) => new ProxyError('UnrecognizedClientException', detail);

const expired = () =>
  new ProxyError(
    'ExpiredTokenException',
    'The session token has expired. Exchange a valid token for another one: POST /session-tokens.',
  );

const alreadyExchanged = () =>
  new ProxyError(
    'AccessDeniedException',
    'A session token is not exchanged for another: send the token that it was made of.',
    { members: { policies: [] } },
  );

const tooLong = (characters: number) =>
  new ProxyError(
    'InvalidParameterException',
    `As a session token this one has ${characters} characters, and ${maxSessionTokenCharacters} fit into the headers ` +
      'of a request. Have its issuer put fewer claims into it, or send it as it is, without exchanging it.',
  );

/** The key that signs now, and until when its signatures are accepted. */
function signingKeyNow(keys: SealingKeys, now: Date) {
  const sealingKey = sealsWith(keys, now);
  const { previousSealingKey: previous } = keys;
  const opensUntil = previous?.key === sealingKey ? previous.opensUntil : undefined;
  return { key: signingKeyOf(sealingKey), opensUntil };
}

/** The contents of a token that one of the keys has signed, and that is neither expired nor too old. */
async function open(jws: string, keys: readonly string[], maxMinutes: number): Promise<unknown> {
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(jws, signingKeyOf(key), {
        ...{ algorithms: [algorithm], typ, requiredClaims: ['exp'] },
        ...{ maxTokenAge: maxMinutes * 60, clockTolerance: sessionClockSkewMs / 1_000 },
      });
      return payload;
    } catch (error) {
      if (error instanceof joseErrors.JWTExpired) {
        throw expired();
      }
      if (!(error instanceof joseErrors.JWSSignatureVerificationFailed)) {
        throw refused('The session token is not well-formed.');
      }
    }
  }
  throw refused(
    'The session token is not of this proxy, or its sealing key has been removed. Exchange a token again.',
  );
}

export type SessionTokens = {
  /**
   * @param token the one by which the principal has just been authenticated
   * @throws AccessDeniedException for a session token, which is not exchanged again; InvalidParameterException where the
   *   claims are too many for the headers of a request
   */
  create(token: string, principal: Principal): Promise<SessionToken>;
  /** @throws UnrecognizedClientException, ExpiredTokenException */
  verify(sessionToken: string): Promise<Principal>;
};

export type SessionTokenOptions = {
  readonly maxMinutes: number;
  readonly issuers: readonly Issuer[];
  readonly readSecret: SecretReader;
};

/**
 * Stateless: the sealing keys are enough to check one. One made from a client token is compared with the secret each
 * time, and ends with that client token; one made from an OIDC token ends when it expires, or when its issuer is no
 * longer configured.
 */
export function openSessionTokens({ maxMinutes, issuers, readSecret }: SessionTokenOptions): SessionTokens {
  const isKnownIssuer = (iss: string) => issuers.some(({ issuer }) => issuer === iss);

  const principalOf = async (held: Content): Promise<Principal> => {
    if ('client' in held) {
      await findClientToken(held, readSecret);
      return { type: 'Client', id: held.client, tokenIsExchanged: true };
    }
    const { iss, sub } = held.claims;
    if (!isKnownIssuer(iss)) {
      throw refused('The session token is of an issuer (iss) that this proxy no longer knows.');
    }
    return { ...workload(iss, sub, held.claims), tokenIsExchanged: true };
  };

  const endOf = async (knownBy: KnownBy | undefined, opensUntil: string | undefined, now: Date) => {
    const row = knownBy && (await findClientToken(knownBy, readSecret));
    const ends = [row?.expiresAt, opensUntil].flatMap((end) => (end === undefined ? [] : [Date.parse(end)]));
    return new Date(Math.min(now.getTime() + maxMinutes * 60_000, ...ends));
  };

  return {
    create: async (token, principal) => {
      if (principal.tokenIsExchanged) {
        throw alreadyExchanged();
      }
      const now = new Date();
      const { key, opensUntil } = signingKeyNow(await readSecret(), now);
      const knownBy = principal.type === 'Client' ? knownByOf(token) : undefined;
      const end = await endOf(knownBy, opensUntil, now);
      const held = principal.type === 'Client' ? { ...knownBy } : { claims: principal.claims };
      const jws = await new SignJWT(held)
        .setProtectedHeader({ alg: algorithm, typ })
        .setIssuedAt(now)
        .setExpirationTime(end)
        .sign(key);
      const sessionToken = `${sessionTokenPrefix}${jws}`;
      if (sessionToken.length > maxSessionTokenCharacters) {
        throw tooLong(sessionToken.length);
      }
      return { sessionToken, expiresAt: end.toISOString() };
    },
    verify: async (sessionToken) => {
      const keys = opensWith(await readSecret(), new Date());
      const payload = await open(sessionToken.slice(sessionTokenPrefix.length), keys, maxMinutes);
      const { data } = content.safeParse(payload);
      if (!data) {
        throw refused('The session token is of another version of this proxy. Exchange a token again.');
      }
      return principalOf(data);
    },
  };
}
