// The OIDC issuers whose tokens are taken: their form, in cdk.json and in the functions' environment.

import { z } from 'zod';

const isLoopback = ({ protocol, hostname }: URL) =>
  protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);

/** Whether a URL is http on this machine, which only tests and the local stack have a use for. */
export function isLoopbackUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && isLoopback(parsed);
}

function isTrustworthy(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && (url.protocol === 'https:' || isLoopback(url)) && !url.username && !/[#\s]/.test(text)
  );
}

const https = (expected: string) => z.string(expected).max(2_048, expected).refine(isTrustworthy, expected);

const expectedIssuer = 'the issuer as its tokens have it in iss: an https URL without a fragment';
const expectedAudience = 'the audience its tokens must have: a string, or a list of strings';
const expectedClaim = 'aud, or client_id for the access tokens of Amazon Cognito, which have no aud';

const expectedLifetime = 'how far ahead its tokens may expire, in seconds: 60 to 31536000, a year';

const audience = z.string(expectedAudience).min(1, expectedAudience);

const issuer = z.strictObject(
  {
    issuer: https(expectedIssuer).refine((text) => !text.includes('?'), expectedIssuer),
    audience: z
      .union([audience, z.array(audience).min(1, expectedAudience)], expectedAudience)
      .transform((value) => (typeof value === 'string' ? [value] : value)),
    /** The claim that holds the audience. */
    audienceClaim: z.enum(['aud', 'client_id'], expectedClaim).default('aud'),
    /** Where the keys are; by default where OpenID Connect discovery says. */
    jwksUri: https('the https URL of the issuer’s key set').optional(),
    /** How far ahead of now its tokens' `exp` may lie; by default a day. Decision 0011. */
    maxTokenLifetimeSeconds: z
      .int(expectedLifetime)
      .min(60, expectedLifetime)
      .max(31_536_000, expectedLifetime)
      .optional(),
  },
  'an object with issuer and audience',
);

const expectedIssuers = 'a list of issuers, each of them once';

export const issuers = z
  .array(issuer, expectedIssuers)
  .refine((list) => new Set(list.map((one) => one.issuer)).size === list.length, expectedIssuers);

export type Issuer = z.output<typeof issuer>;
