// How long a token is good for one request.

import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { lastingTokens } from '../../registry/hosted/lasting-tokens.ts';

const workload = { type: 'Workload', id: 'w', issuer: 'i', subject: 's', claims: {} } as const;

/** What the issuer's keys and the clock say, one time after the other. */
function checkersOf(...answers: readonly (typeof workload | ProxyError)[]) {
  const rest = [...answers];
  const verify = async () => {
    const answer = rest.shift();
    if (answer instanceof ProxyError || answer === undefined) {
      throw answer ?? new Error('asked too often');
    }
    return answer;
  };
  const notAsked = async () => {
    throw new Error('nobody asks');
  };
  const { verifyOidcToken, sessionTokens } = lastingTokens({
    readSecret: notAsked,
    verifyOidcToken: verify,
    sessionTokens: { create: notAsked, verify },
  });
  return { issuers: verifyOidcToken, session: sessionTokens?.verify ?? notAsked };
}

const expired = new ProxyError('ExpiredTokenException');
const unknown = new ProxyError('UnrecognizedClientException');

describe.each(['issuers', 'session'] as const)('a token (%s)', (kind) => {
  it('that expires during a request is accepted for the rest of it', async () => {
    const checkers = checkersOf(workload, expired, expired);
    for (let n = 0; n < 3; n += 1) {
      expect(await checkers[kind]('t')).toEqual(workload);
    }
  });

  it('that is expired when the request comes is refused', async () => {
    await expect(checkersOf(expired)[kind]('t')).rejects.toBe(expired);
  });

  it('that is refused during a request for any other reason stays refused', async () => {
    const checkers = checkersOf(workload, unknown);
    await checkers[kind]('t');
    await expect(checkers[kind]('t')).rejects.toBe(unknown);
  });
});
