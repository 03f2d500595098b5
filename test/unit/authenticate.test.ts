import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { errors } from '../../api/errors.ts';
import { maxTokenCharacters } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Headers } from '../../lambda/incoming-call.ts';
import { authenticate, tokenOf } from '../../lambda/steps/authenticate.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const token = 'eup_team-a-ci_current';
const readSecret = async () => ({
  sealingKey: 'k'.repeat(32),
  clients: {
    'team-a-ci': [
      { sha256: sha256('eup_team-a-ci_old'), expiresAt: '2020-01-01T00:00:00Z' },
      { sha256: sha256(token) },
      { sha256: sha256('eup_team-a-ci_next'), expiresAt: '2999-01-01T00:00:00Z' },
    ],
  },
});
const basic = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
async function verifyOidcToken(): Promise<never> {
  throw new Error('not an OIDC token');
}
const call = (headers: Headers) => authenticate(headers, { readSecret, verifyOidcToken });

describe('authenticate', () => {
  it.each<[string, Headers]>([
    ['a bearer token', { authorization: `Bearer ${token}` }],
    ['a bearer token with the scheme in lower case', { authorization: `bearer ${token}` }],
    ['the password of Basic', { authorization: basic(token) }],
    ['the session token of an AWS SDK', { 'x-amz-security-token': token }],
    ['the second of two live tokens', { authorization: 'Bearer eup_team-a-ci_next' }],
  ])('lets in %s', async (_, headers) => {
    expect(await call(headers)).toEqual({ type: 'Client', id: 'team-a-ci' });
  });

  it.each<[string, Headers]>([
    ['no token at all', {}],
    ['an empty bearer token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Digest ${token}` }],
    ['a token of another form', { authorization: 'Bearer secret' }],
    ['a token of a client nobody knows', { authorization: 'Bearer eup_nobody_current' }],
    ['a token whose client is a name that every object has', { authorization: 'Bearer eup_constructor_x' }],
    ['a wrong token of a known client', { authorization: 'Bearer eup_team-a-ci_wrong' }],
    ['the hash instead of the token', { authorization: `Bearer eup_team-a-ci_${sha256(token)}` }],
  ])('refuses %s', async (_, headers) => {
    await expect(call(headers)).rejects.toMatchObject({ code: 'UnrecognizedClientException' });
  });

  it.each([
    ['a.b.c', true],
    ['A-_9.bb.cc', true],
    ['a.eup_b.c', true],
    ['a.eups_b.c', true],
    ['a.b', false],
    ['a.b.', false],
    ['.b.c', false],
    ['a..c', false],
    ['a.b.c.d', false],
    ['a.b.c=', false],
    ['a+.b.c', false],
    ['!a.b.c', false],
    ['a.b.c!', false],
  ])('takes %s for an OIDC token: %s', async (text, is) => {
    const failure = call({ 'x-amz-security-token': text });
    await expect(failure).rejects.toThrow(
      is ? 'not an OIDC token' : errors.UnrecognizedClientException.detail,
    );
  });

  it('takes what only contains the beginning of a client token for none', async () => {
    await expect(call({ 'x-amz-security-token': `x${token}` })).rejects.toThrow(ProxyError);
    await expect(call({ 'x-amz-security-token': 'eup_a.b.c' })).rejects.toThrow(ProxyError);
    await expect(call({ 'x-amz-security-token': 'xeups_a.b.c' })).rejects.toThrow('not an OIDC token');
  });

  it('takes a token as long as may be, and none that is longer', async () => {
    const long = `a.b.${'c'.repeat(maxTokenCharacters - 4)}`;
    await expect(call({ 'x-amz-security-token': long })).rejects.toThrow('not an OIDC token');
    await expect(call({ 'x-amz-security-token': `${long}c` })).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
      message: `A token has at most ${maxTokenCharacters} characters.`,
    });
  });

  it('prefers Authorization, where it can be read', () => {
    expect(tokenOf({ authorization: 'Bearer a', 'x-amz-security-token': 'b' })).toBe('a');
    expect(tokenOf({ authorization: 'Digest a', 'x-amz-security-token': 'b' })).toBe('b');
    expect(tokenOf({ authorization: 'Digest a' })).toBe('');
    expect(tokenOf({})).toBe('');
  });

  it('says of a token that was valid once that it has expired', async () => {
    await expect(call({ authorization: 'Bearer eup_team-a-ci_old' })).rejects.toMatchObject({
      code: 'ExpiredTokenException',
    });
  });

  it('never puts the token into its error', async () => {
    const failure: unknown = await call({ authorization: 'Bearer eup_team-a-ci_wrong' }).catch(
      (error: unknown) => error,
    );
    expect(JSON.stringify(failure) + String(failure)).not.toContain('wrong');
  });
});
