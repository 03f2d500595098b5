// Whatever schema, policies and text an operator has: decisions are Cedar's, and no text ends the process.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecisionRequest, loadPolicies } from '../../policy/policies.ts';
import { PolicyError, readPolicyText } from '../../policy/policy-files.ts';
import { workload } from '../../policy/principal.ts';
import { chains, nested } from '../support/deep-policies.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { compare, randomCase } from '../support/random-policies.ts';

const part = (name: string, claims: Readonly<Record<string, string>>): DecisionRequest => ({
  principal: workload('https://issuer', 'subject', claims),
  action: 'UploadLayerPart',
  resource: { id: name, attrs: { name, namespace: '', registry: 'ecr', registryId: '1' } },
  context: { partFirstByte: 0, partLastByte: 9 },
  now: new Date(0),
});

/** @returns whether it could be used */
function isAccepted(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof PolicyError) {
      return false;
    }
    throw error;
  }
}

const words = fc.constantFrom(
  ...'permit forbid principal action resource context when unless if then else in is has like true false'.split(
    ' ',
  ),
  ...'( ) { } [ ] , ; : :: . == != < <= > >= && || ! + - * @ "a" "a 1 9223372036854775807 ?principal'.split(
    ' ',
  ),
  ...[
    'Client::"a"',
    'Action::"push"',
    '// x\n',
    '\n',
    '"\\u{d800}"',
    '\ud800',
    '\u0000',
    'é',
    '\ufeff',
    '.getTag("a")',
  ],
);
const soup = fc
  .array(
    fc.tuple(
      words,
      fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(600) }),
    ),
    {
      maxLength: 25,
    },
  )
  .map((parts) => parts.map(([word, times]) => `${word} `.repeat(times)).join(''));
const text = fc.oneof(
  soup,
  soup.map((inner) => `permit (principal, action, resource) when { ${inner} };`),
  fc.string({ unit: 'binary' }),
);

describe('policies', () => {
  it('decide as Cedar does, whatever the schema', () => {
    fc.assert(
      fc.property(randomCase, (one) => {
        for (const { proxy, cedar } of compare(one)) {
          expect(proxy).toEqual(cedar);
        }
      }),
      fuzzed(60),
    );
  });

  it('are used or refused with a reason, whatever the text', () => {
    fc.assert(
      fc.property(text, (hostile) => {
        isAccepted(() => readPolicyText('a.cedar', hostile));
      }),
      fuzzed(150),
    );
  });

  it('that are accepted are evaluated without a fault of the engine, however deep', () => {
    const kind = fc.constantFrom(...Object.values({ ...chains, ...nested }));
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.tuple(kind, fc.nat(200)),
        fc.dictionary(fc.string({ unit: 'binary' }), fc.string()),
        ([deep, length], claims) => {
          const directory = policiesOf({ 'a.cedar': deep(Math.max(length, 1)) });
          const usable = isAccepted(() => {
            const { decide } = loadPolicies(directory);
            for (const { errors } of [decide(part('x', claims)), decide(part('n1', claims))]) {
              expect(errors.join()).not.toMatch(/engine failed/);
            }
          });
          accepted += Number(usable);
        },
      ),
      fuzzed(60),
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('are refused with their schema, whatever that is', () => {
    fc.assert(
      fc.property(text, (hostile) => {
        isAccepted(() => loadPolicies(policiesOf({ 'schema.cedarschema': hostile })));
      }),
      fuzzed(80),
    );
  });

  it('decide about any text that a client may send, or deny', () => {
    const { decide } = loadPolicies(
      policiesOf({
        'a.cedar':
          'permit (principal, action, resource) unless { principal is Workload && principal.hasTag("x") };',
      }),
    );
    const any = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(any, fc.dictionary(any, any), (name, claims) => {
        const { allowed, errors } = decide(part(name, claims));
        const wellFormed = [name, ...Object.entries(claims).flat()].every((one) => one.isWellFormed());
        expect([allowed, errors.length]).toEqual(wellFormed ? [!Object.hasOwn(claims, 'x'), 0] : [false, 1]);
      }),
      fuzzed(1_500),
    );
  });
});
