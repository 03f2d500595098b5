// How a token is read from an `Authorization` header, the same for the functions and the registry endpoint.

import { expect, it } from 'vitest';
import { tokenOfAuthorization } from '../../api/authorization.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

it.each([
  ['Bearer t', 't'],
  ['bearer  t', 't'],
  [' Bearer t ', 't'],
  [`Basic ${base64('any:t')}`, 't'],
  [`BASIC ${base64(':t:u')}`, 't:u'],
  [`Basic ${base64('any:')}`, ''],
  [`Basic ${base64('any')}`, undefined],
  ['Basic !', undefined],
  ['Basic', undefined],
  ['Bearer t u', undefined],
  ['x Bearer t', undefined],
  ['Bearert', undefined],
  [`Basic ${base64('a\nb:t\nu')}`, 't\nu'],
  [`Basic x${'='.repeat(3)}`, undefined],
  [`Basic ${base64('any:t')}!`, undefined],
  [`Basic !${base64('any:t')}`, undefined],
  [`Basic ${base64('any:t').replace(/=*$/, '')}`, 't'],
  ['Digest t', undefined],
  ['constructor t', undefined],
  ['', undefined],
])('%j has the token %j', (authorization, token) => {
  expect(tokenOfAuthorization(authorization)).toBe(token);
});
