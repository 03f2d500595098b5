// API Gateway's header table: each header that does not pass as it is, in both directions.

import { describe, expect, it } from 'vitest';
import { headerBytes, pairHeaders, toClient, toFunction } from '../../local/gateway/headers.ts';

describe('headers on their way to the function', () => {
  it.each([
    ['Authorization', 'Bearer token', true],
    ['Authorization', 'Basic dXNlcjp0b2tlbg==', true],
    ['Authorization', 'AWS4-HMAC-SHA256 Credential=…, Signature=…', false],
    ['authorization', 'AWS4-ECDSA-P256-SHA256 Credential=…', false],
    ['X-Amz-Security-Token', 'token', true],
    ['X-Amz-Date', '20260101T000000Z', true],
    ['X-Amz-Target', 'Service.Operation', true],
    ['Content-Range', 'bytes 0-9/*', true],
    ['Content-Length', '10', true],
    ['User-Agent', 'aws-cli', true],
    ['Date', 'now', true],
    ['Host', 'proxy', true],
    ['WWW-Authenticate', 'Basic', false],
    ['Content-MD5', '…', false],
    ['Expect', '100-continue', false],
    ['TE', 'trailers', false],
    ['Upgrade', 'h2c', false],
    ['Connection', 'close', false],
    ['Server', 'x', false],
    ['Transfer-Encoding', 'chunked', false],
  ])('%s: %s passes: %s', (name, value, passes) => {
    expect(toFunction([[name, value]])).toEqual(passes ? [[name, value]] : []);
  });
});

describe('headers on their way to the client', () => {
  it.each([
    ['Content-Type', 'Content-Type'],
    ['Range', 'Range'],
    ['Retry-After', 'Retry-After'],
    ['Location', 'Location'],
    ['WWW-Authenticate', 'x-amzn-Remapped-WWW-Authenticate'],
    ['Authorization', 'x-amzn-Remapped-Authorization'],
    ['Date', 'x-amzn-Remapped-Date'],
    ['User-Agent', 'x-amzn-Remapped-User-Agent'],
    ['Server', 'x-amzn-Remapped-Server'],
    ['Content-MD5', 'x-amzn-Remapped-Content-MD5'],
    ['Host', undefined],
    ['Transfer-Encoding', undefined],
    ['Content-Length', undefined],
  ])('%s arrives as %s', (name, arrivesAs) => {
    expect(toClient([[name, 'value']])).toEqual(arrivesAs ? [[arrivesAs, 'value']] : []);
  });
});

it('a raw list of headers becomes pairs, whose bytes are counted with the request line', () => {
  const pairs = pairHeaders(['A', 'one', 'B', 'two']);
  expect(pairs).toEqual([
    ['A', 'one'],
    ['B', 'two'],
  ]);
  expect(headerBytes('GET / HTTP/1.1', pairs)).toBe(14 + 4 + 4);
});
