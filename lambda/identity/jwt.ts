// A JWT, parsed strictly and once: the same result is verified and given to the policy.

import { z } from 'zod';
import { maxTokenDepth } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { parseStrictJson } from '../../api/strict-json.ts';
import { claimsOf } from '../../policy/claims.ts';
import type { Claims } from '../../policy/principal.ts';
import { decimalOf } from './decimal.ts';
import { algorithms } from './signing-key.ts';

declare global {
  interface JSON {
    /** Source: ECMAScript proposal "JSON.parse source text access", which Node.js has and TypeScript's library lacks. */
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

const malformed = 'The token is not a well-formed JWT.';
const noSubject = 'The token has no subject (sub).';
const anotherKind =
  'The token is of another kind (typ) than JWT or at+jwt: send an access token or an ID token.';

/**
 * The kinds of JWT that identify a caller. Most issuers send JWT or nothing; at+jwt is RFC 9068's, JOSE is allowed by
 * SPIFFE. Others, such as a logout token or a DPoP proof, are signed with the same keys for another purpose.
 * Source: RFC 8725, section 3.11.
 */
const kinds = new Set(['jwt', 'at+jwt', 'jose']);

/** `application/` may be left out, and case does not matter. Source: RFC 7515, section 4.1.9. */
const isTakenKind = (typ: string) => kinds.has(typ.toLowerCase().replace(/^application\//, ''));

const time = (message: string) => z.number(message).gt(-1e11, message).lt(1e11, message);

const header = z.object({
  alg: z.enum(
    algorithms,
    `The token’s signature is of an algorithm that is not taken: use ${algorithms.join(', ')}.`,
  ),
  kid: z.string('The token’s signature names no key (kid).'),
  typ: z.string(malformed).refine(isTakenKind, anotherKind).exactOptional(),
  // An extension that the recipient has to understand; none is supported. Source: RFC 7515, section 4.1.11.
  crit: z.never(malformed).exactOptional(),
});

const registered = z.object({
  iss: z.string('The token has no issuer (iss).'),
  sub: z.string(noSubject).min(1, noSubject),
  aud: z.union([z.string(), z.array(z.string())], malformed).exactOptional(),
  exp: time('The token has no expiry (exp).'),
  nbf: time(malformed).exactOptional(),
  iat: time(malformed).exactOptional(),
  // The token of a security event, such as a logout token whose typ does not say so. Source: RFC 8417, section 2.2.
  events: z.never(anotherKind).exactOptional(),
});

export type Jwt = {
  readonly header: z.output<typeof header>;
  /** The claims that JWT itself defines (RFC 7519), as far as they are looked at here. */
  readonly registered: z.output<typeof registered>;
  /** All claims, for policies. */
  readonly claims: Claims;
  /** The three parts as they were sent. */
  readonly encoded: { readonly header: string; readonly payload: string; readonly signature: string };
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Only canonical base64url and only UTF-8: nothing that two decoders could read differently. */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) {
    throw new SyntaxError('not base64url');
  }
  return bytes;
}

type Part = Readonly<Record<string, unknown>>;

/** An object of well-formed text, and the same object as policies see it, with every number as its exact text. */
function parse(part: string) {
  const text = utf8.decode(decode(part));
  const values = parseStrictJson(text, maxTokenDepth);
  const forPolicies = z.record(z.string(), z.unknown()).parse(
    JSON.parse(text, (name, value, { source = '' }) => {
      // Assigned to an object, it would set the prototype instead of a member.
      if (name === '__proto__') {
        throw new SyntaxError('a name that no claim has');
      }
      return typeof value === 'number' ? decimalOf(source) : value;
    }),
  );
  return { values, forPolicies };
}

const refused = (detail: string | undefined) => new ProxyError('UnrecognizedClientException', detail);

function wellFormed<Output>(read: () => Output): Output {
  try {
    return read();
  } catch {
    throw refused(malformed);
  }
}

function check<Output>(schema: z.ZodType<Output>, part: Part): Output {
  const { data, error } = schema.safeParse(part);
  if (error) {
    throw refused(error.issues[0]?.message);
  }
  return data;
}

/**
 * The checks that need no key come first, so that a token that cannot be valid costs no fetch and no signature.
 *
 * @throws UnrecognizedClientException saying what is wrong with its form
 */
export function readJwt(token: string): Jwt {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const [parsedHead, parsedPayload] = wellFormed(() => [parse(head), parse(payload)] as const);
  const jwt = {
    header: check(header, parsedHead.values),
    registered: check(registered, parsedPayload.values),
    claims: wellFormed(() => claimsOf(parsedPayload.forPolicies)),
    encoded: { header: head, payload, signature },
  };
  wellFormed(() => decode(signature));
  return jwt;
}
