// A decision, between the request and Cedar's engine: what the engine is asked, and what is made of each of its answers.

import type { AuthorizationAnswer, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import { maxPolicyErrorCharacters, maxPolicyErrors } from '../../api/limits.ts';
import { type Cedar, newCedar } from '../../policy/cedar.ts';
import { claimsOf } from '../../policy/claims.ts';
import { type DecisionRequest, describeForCedar } from '../../policy/entities.ts';
import { loadPolicies, openPolicies } from '../../policy/policies.ts';
import type { Policy } from '../../policy/policy-files.ts';
import { PolicyError } from '../../policy/policy-files.ts';
import { statementsOf } from '../../policy/policy-statements.ts';
import { workload } from '../../policy/principal.ts';
import { sampleRequests } from '../../policy/sample-requests.ts';
import { policiesOf } from '../support/policy-directory.ts';

/** Of which these tests replace what they look at. */
const real = newCedar();

const attrs = { name: 'a/b', namespace: 'a', registry: 'ecr', registryId: '1' };
const asked: DecisionRequest = {
  principal: { type: 'Client', id: 'ci' },
  action: 'InitiateLayerUpload',
  resource: { id: 'ecr/1/a/b', attrs },
  context: {},
  now: new Date('2026-11-21T12:00:00Z'),
};
const repository = { uid: { type: 'Repository', id: 'ecr/1/a/b' }, attrs, parents: [], tags: {} };
const context = {
  tokenIsExchanged: false,
  now: { __extn: { fn: 'datetime', arg: '2026-11-21T12:00:00.000Z' } },
};

describe('a request in Cedar’s terms', () => {
  it('has a client by its name alone', () => {
    expect(describeForCedar(asked)).toEqual({
      principal: { type: 'Client', id: 'ci' },
      action: { type: 'Action', id: 'InitiateLayerUpload' },
      resource: { type: 'Repository', id: 'ecr/1/a/b' },
      context,
      entities: [repository],
    });
  });

  it('has a workload’s claims as tags: texts, and lists beside them', () => {
    const principal = workload('https://issuer', 'me', {
      ...{ ref: 'main', scope: 'push read', groups: ['a', 'b'], none: [] },
    });
    expect(describeForCedar({ ...asked, principal }).entities).toEqual([
      repository,
      {
        uid: { type: 'Workload', id: 'https://issuer#me' },
        attrs: {
          issuer: 'https://issuer',
          subject: 'me',
          lists: { __entity: { type: 'ClaimLists', id: 'https://issuer#me' } },
        },
        parents: [],
        tags: { ref: 'main', scope: 'push read' },
      },
      {
        uid: { type: 'ClaimLists', id: 'https://issuer#me' },
        attrs: {},
        parents: [],
        tags: { groups: ['a', 'b'], none: [], scope: ['push', 'read'] },
      },
    ]);
  });

  it('says whether the token was exchanged, and what the request holds', () => {
    const principal = { type: 'Client', id: 'ci', tokenIsExchanged: true } as const;
    const described = describeForCedar({
      ...{ ...asked, principal },
      context: {
        ...{ imageTag: 'v1', totalBytes: 7, layerMediaTypes: ['a'], artifactType: undefined },
        imageTagVersion: { major: 1, minor: 2, patch: 3, prerelease: '' },
        annotations: { source: 'here' },
      },
    });
    expect(described.context).toStrictEqual({
      ...{ ...context, tokenIsExchanged: true, imageTag: 'v1', totalBytes: 7, layerMediaTypes: ['a'] },
      imageTagVersion: { major: 1, minor: 2, patch: 3, prerelease: '' },
      annotations: { __entity: { type: 'Annotations', id: 'request' } },
    });
    expect(described.entities).toEqual([
      repository,
      { uid: { type: 'Annotations', id: 'request' }, attrs: {}, parents: [], tags: { source: 'here' } },
    ]);
  });
});

const policy = (id: string, more: Partial<Policy> = {}): Policy => ({
  ...{ id, text: 'permit (principal, action, resource);', effect: 'permit', message: undefined },
  ...{ audit: false, file: 'a.cedar', line: 1, ...more },
});

const answered = (
  decision: 'allow' | 'deny',
  reason: string[] = [],
  errors: [policyId: string, message: string, help?: string][] = [],
): AuthorizationAnswer => ({
  type: 'success',
  response: {
    decision,
    diagnostics: {
      reason,
      errors: errors.map(([policyId, message, help]) => ({
        policyId,
        error: { message, help: help ?? null, code: null, url: null, severity: null },
      })),
    },
  },
  warnings: [],
});

const failed = (...messages: string[]): AuthorizationAnswer => ({
  type: 'failure',
  errors: messages.map((message) => ({ message, help: null, code: null, url: null, severity: null })),
  warnings: [],
});

/** An engine that answers as it is told; what it was asked, and what it was prepared with. */
function scripted(
  answer: (call: StatefulAuthorizationCall) => AuthorizationAnswer,
  policies: readonly Policy[] = [policy('one')],
) {
  const calls: StatefulAuthorizationCall[] = [];
  const prepared: unknown[] = [];
  let isStarted = false;
  const cedar: Cedar = {
    ...real,
    preparseSchema: (...schema) => {
      prepared.push(schema);
      return { type: 'success' };
    },
    preparsePolicySet: (...set) => {
      prepared.push(set);
      return { type: 'success' };
    },
    statefulIsAuthorized: (call) => {
      if (isStarted) {
        calls.push(call);
      }
      return isStarted ? answer(call) : answered('deny');
    },
  };
  const { decide } = openPolicies({ schema: 'the schema', policies }, () => cedar);
  isStarted = true;
  return { calls, prepared, decide };
}

describe('an engine', () => {
  it('is given the schema and the policies once, and is asked for requests that are valid', () => {
    const { calls, prepared, decide } = scripted(() => answered('allow', ['one']));
    expect(decide(asked)).toEqual({ allowed: true, policies: [{ id: 'one' }], errors: [] });
    expect(prepared).toEqual([
      ['schema', 'the schema'],
      ['enforced', { staticPolicies: { one: 'permit (principal, action, resource);' } }],
    ]);
    expect(calls).toEqual([
      {
        ...describeForCedar(asked),
        ...{ preparsedSchemaName: 'schema', preparsedPolicySetId: 'enforced', validateRequest: true },
      },
    ]);
  });

  it('is given those that are watched in a set of their own, beside the others', () => {
    const watched = policy('two', { audit: true });
    const { calls, prepared, decide } = scripted(
      ({ preparsedPolicySetId }) => answered(preparsedPolicySetId === 'watched' ? 'deny' : 'allow', ['two']),
      [policy('one'), watched],
    );
    expect(prepared.slice(1)).toEqual([
      ['enforced', { staticPolicies: { one: watched.text } }],
      ['watched', { staticPolicies: { one: watched.text, two: watched.text } }],
    ]);
    expect(decide(asked)).toMatchObject({ allowed: true, audit: { allowed: false } });
    expect(calls.map(({ preparsedPolicySetId }) => preparsedPolicySetId)).toEqual(['enforced', 'watched']);
  });

  it('is given what a directory holds', () => {
    const { decide } = loadPolicies(
      policiesOf({ 'a.cedar': '@id("all") permit (principal, action, resource);' }),
    );
    expect(decide(asked)).toEqual({ allowed: true, policies: [{ id: 'all' }], errors: [] });
  });

  it('that decides the same with those that are watched has nothing more to say', () => {
    const { decide } = scripted(() => answered('deny'), [policy('one', { audit: true })]);
    expect(decide(asked)).toEqual({ allowed: false, policies: [], errors: [] });
  });
});

describe('an answer of the engine', () => {
  it('names policies in order, with their messages', () => {
    const policies = [policy('b', { message: 'not now' }), policy('a'), policy('c', { message: '' })];
    const { decide } = scripted(() => answered('deny', ['c', 'b', 'a']), policies);
    expect(decide(asked)).toStrictEqual({
      allowed: false,
      policies: [{ id: 'a' }, { id: 'b', message: 'not now' }, { id: 'c', message: '' }],
      errors: [],
    });
  });

  it('with an error of a policy denies, whatever it decides', () => {
    const { decide } = scripted(() =>
      answered(
        'allow',
        ['one'],
        [
          ['two', 'overflow', 'smaller'],
          ['three', 'no tag'],
        ],
      ),
    );
    expect(decide(asked)).toEqual({
      allowed: false,
      policies: [{ id: 'one' }],
      errors: ['two: overflow (smaller)', 'three: no tag'],
    });
  });

  it('that is none denies', () => {
    const { decide } = scripted(() => failed('no such action', 'no such attribute'));
    expect(decide(asked)).toEqual({
      allowed: false,
      policies: [],
      errors: ['no such action', 'no such attribute'],
    });
  });

  it('is cut to a length that a log takes', () => {
    const long = 'x'.repeat(maxPolicyErrorCharacters + 1);
    const { decide } = scripted(() => failed(...Array(maxPolicyErrors + 1).fill(long)));
    expect(decide(asked).errors).toEqual(Array(maxPolicyErrors).fill(long.slice(1)));
  });

  it.each<[unknown, string]>([
    [new RangeError('out of memory'), 'RangeError: out of memory'],
    ['a text', 'unknown'],
  ])('that never comes denies: %s', (failure, told) => {
    const { decide } = scripted(() => {
      throw failure;
    });
    expect(decide(asked)).toEqual({
      allowed: false,
      policies: [],
      errors: [`Cedar's engine failed: ${told}`],
    });
  });

  it('is not asked about text that is not well-formed', () => {
    const { calls, decide } = scripted(() => answered('allow'));
    expect(decide({ ...asked, principal: { type: 'Client', id: '\ud800' } })).toEqual({
      ...{ allowed: false, policies: [] },
      errors: ['the request holds text that is not well-formed Unicode'],
    });
    expect(calls).toEqual([]);
  });
});

describe('policies that cannot be used', () => {
  const error = { message: 'odd', help: null, code: null, url: null, severity: null };
  const other = { ...error, message: 'odder', help: 'even' };
  const broken = (more: Partial<Cedar>) => () =>
    openPolicies({ schema: '', policies: [policy('one')] }, () => ({
      ...real,
      preparseSchema: () => ({ type: 'success' }),
      preparsePolicySet: () => ({ type: 'success' }),
      statefulIsAuthorized: () => answered('allow'),
      ...more,
    }));
  const place = 'schema.cedarschema:1:1: ';
  const engine = "Cedar's engine fails with this schema and these policies: ";

  it.each<[string, Partial<Cedar>, string]>([
    [
      'whose schema the engine does not take',
      { preparseSchema: () => ({ type: 'failure', errors: [error, other] }) },
      `${place}${engine}Error: odd; odder (even)`,
    ],
    [
      'that the engine does not take',
      { preparsePolicySet: () => ({ type: 'failure', errors: [error] }) },
      `${place}${engine}Error: odd`,
    ],
    [
      'at which the engine fails',
      {
        statefulIsAuthorized: () => {
          throw new RangeError('too deep');
        },
      },
      `${place}${engine}RangeError: too deep`,
    ],
    [
      'that do not take what the proxy asks',
      { statefulIsAuthorized: () => failed('no such action', 'no context') },
      `${place}does not take a InitiateLayerUpload by a Client as the proxy asks it: no such action; no context`,
    ],
  ])('are refused as they are opened: %s', (_, more, message) => {
    expect(broken(more)).toThrow(
      new PolicyError([
        { file: 'schema.cedarschema', line: 1, column: 1, message: message.slice(place.length) },
      ]),
    );
    expect(broken(more)).toThrow(message);
  });

  it('are tried with every kind of request, in each set, before they are used', () => {
    const sets: string[] = [];
    const cedar: Cedar = {
      ...real,
      preparseSchema: () => ({ type: 'success' }),
      preparsePolicySet: () => ({ type: 'success' }),
      statefulIsAuthorized: ({ action, preparsedPolicySetId }) => {
        sets.push(`${preparsedPolicySetId} ${'id' in action ? action.id : ''}`);
        return answered('deny');
      },
    };
    openPolicies({ schema: '', policies: [policy('one', { audit: true })] }, () => cedar);
    const actions = sampleRequests().map(({ action }) => action);
    expect(sets).toEqual(actions.flatMap((action) => [`enforced ${action}`, `watched ${action}`]));
  });
});

describe('the claims of a token', () => {
  it.each<[Record<string, unknown>, object]>([
    [{}, {}],
    [
      { a: 'x', n: 1, b: true, f: false, zero: 0, empty: '' },
      { a: 'x', n: '1', b: 'true', f: 'false', zero: '0', empty: '' },
    ],
    [
      { list: ['a', 1, true], none: [] },
      { list: ['a', '1', 'true'], none: [] },
    ],
    [{ mixed: ['a', null], nested: [['a']], objects: [{}] }, {}],
    [{ nothing: null, absent: undefined }, {}],
    [
      { a: { b: { c: 'x', d: ['y'] } }, e: {} },
      { 'a/b/c': 'x', 'a/b/d': ['y'] },
    ],
  ])('%j are %j to a policy', (payload, claims) => {
    expect(claimsOf(payload)).toEqual(claims);
  });

  it('have each name once', () => {
    expect(() => claimsOf({ 'a/b': 1, a: { b: 2 } })).toThrow(new SyntaxError('two claims of one name'));
  });
});

describe('the policies of a text', () => {
  it.each<[string, string[], number[]]>([
    ['', [], []],
    [' // nothing\n', [], []],
    ['a;b;', ['a;', 'b;'], [0, 2]],
    ['a; b', ['a;', 'b'], [0, 3]],
    ['// one; two\na;\n// ä;\n b;', ['a;', 'b;'], [12, 23]],
    ['a "x;y\\";" ; b;', ['a "x;y\\";" ;', 'b;'], [0, 13]],
    ['a "//" ; b;', ['a "//" ;', 'b;'], [0, 9]],
    ['a "p;q\\"cd" ; b;', ['a "p;q\\"cd" ;', 'b;'], [0, 14]],
    ['a / b; c "', ['a / b;', 'c "'], [0, 7]],
    ['"ä";\n\t b;', ['"ä";', 'b;'], [0, 8]],
    ['"a\nb;";c;', ['"a\nb;";', 'c;'], [0, 7]],
    ['"\\\\";c;', ['"\\\\";', 'c;'], [0, 5]],
    [';;', [';', ';'], [0, 1]],
  ])('%j are taken apart', (text, statements, offsets) => {
    const found = statementsOf(text);
    expect(found.map((one) => one.text)).toEqual(statements);
    expect(found.map(({ offset }) => offset)).toEqual(offsets);
  });
});
