// How long a token is good for one request.

import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { lastingTokens } from '../../registry/hosted/lasting-tokens.ts';

const workload = { type: 'Workload', id: 'w', issuer: 'i', subject: 's', claims: {} } as const;

/** What the issuer's keys and the clock say, one time after the other. */
function checkersOf(...answers: readonly (typeof workload | ProxyError)[]) {
  const rest = [...answers];
  return lastingTokens({
    readSecret: async () => {
      throw new Error('nobody asks');
    },
    verifyOidcToken: async () => {
      const answer = rest.shift();
      if (answer instanceof ProxyError || answer === undefined) {
        throw answer ?? new Error('asked too often');
      }
      return answer;
    },
  });
}

const expired = new ProxyError('ExpiredTokenException');
const unknown = new ProxyError('UnrecognizedClientException');

describe('a token', () => {
  it('that expires amid a request is good for the rest of it', async () => {
    const { verifyOidcToken } = checkersOf(workload, expired, expired);
    for (let n = 0; n < 3; n += 1) {
      expect(await verifyOidcToken('t')).toEqual(workload);
    }
  });

  it('that is expired when the request comes is refused', async () => {
    await expect(checkersOf(expired).verifyOidcToken('t')).rejects.toBe(expired);
  });

  it('that is refused amid a request for any other reason is refused', async () => {
    const { verifyOidcToken } = checkersOf(workload, unknown);
    await verifyOidcToken('t');
    await expect(verifyOidcToken('t')).rejects.toBe(unknown);
  });
});
