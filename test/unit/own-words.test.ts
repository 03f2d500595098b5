// What a refusal says of a member is this project's own sentence: never one of the schema library's.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type OperationName, operationNames, operations } from '../../api/operations.ts';
import { isRegistry, type Registry, registries } from '../../api/registries.ts';
import { readJwt } from '../../lambda/identity/jwt.ts';
import { validate } from '../../lambda/steps/validate.ts';
import { fuzzed } from '../support/fuzzing.ts';

/** The library asks for its words here wherever a schema has none. */
const libraryWords = 'the words of the library';
const { customError } = z.config();
beforeAll(() => {
  z.config({ customError: () => libraryWords });
});
afterAll(() => {
  z.config({ customError });
});

const calls = Object.keys(registries)
  .filter(isRegistry)
  .flatMap((registry) => operationNames.map((operation) => ({ registry, operation })));

const right = {
  repositoryName: 'a/b',
  uploadId: 'u',
  partFirstByte: 0,
  partLastByte: 2,
  layerPartBlob: 'AAAA',
  layerDigests: ['sha256:aa'],
  imageManifest: '{}',
};

const refusalOf = (registry: Registry, operation: OperationName, members: object): Promise<unknown> =>
  validate({
    operation,
    registry,
    readMembers: () => ({ ...right, ...members }),
    refusesUnknownMembers: true,
  }).catch((error: unknown) => error);

const odd = [
  ...[
    undefined,
    null,
    true,
    -1,
    0.5,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    '',
    'A',
    '\ud800',
    'x'.repeat(5_000),
  ],
  ...[[], {}, [1], [null], [''], ['a'], [['a']], Array(101).fill('sha256:aa'), { length: 1 }],
];
const oddValue = fc.oneof(fc.constantFrom(...odd), fc.jsonValue({ maxDepth: 3 }));

const base64url = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

function refusalOfToken(header: object, claims: object): unknown {
  try {
    return readJwt(`${base64url(header)}.${base64url(claims)}.AAAA`);
  } catch (error) {
    return error;
  }
}

describe('a refusal', () => {
  it('would be found out by this test', () => {
    expect(z.string().safeParse(1).error?.issues[0]?.message).toBe(libraryWords);
  });

  it.each(calls)('of $registry $operation says in this project’s words what was expected', async (call) => {
    const names = Object.keys(operations[call.operation].input(call.registry).shape);
    const wrong = fc.dictionary(fc.constantFrom(...names), oddValue, { minKeys: 1, maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(wrong, async (members) => {
        const refusal = await refusalOf(call.registry, call.operation, members);
        expect(refusal instanceof Error ? refusal.message : '').not.toContain(libraryWords);
      }),
      fuzzed(150),
    );
  });

  it('of a token does, too', () => {
    const names = ['alg', 'kid', 'typ', 'crit', 'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'events'];
    const part = fc.dictionary(fc.constantFrom(...names), oddValue);
    fc.assert(
      fc.property(part, part, (header, claims) => {
        const refusal = refusalOfToken({ alg: 'RS256', kid: 'k', ...header }, claims);
        expect(refusal instanceof Error ? refusal.message : '').not.toContain(libraryWords);
      }),
      fuzzed(300),
    );
  });
});
