// What was checked is what runs: a decision is Cedar's over all policies, and a schema takes what the proxy asks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecisionRequest, loadPolicies } from '../../policy/policies.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { compare, randomCase } from '../support/random-policies.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../policies/schema.cedarschema'), 'utf8');

const load = (schema: string, text = '') =>
  loadPolicies(policiesOf({ 'schema.cedarschema': schema, 'a.cedar': text }));

const part = (name: string): DecisionRequest => ({
  principal: { type: 'Client', id: 'a' },
  action: 'UploadLayerPart',
  resource: { id: name, attrs: { name, namespace: 'team-a', registry: 'ecr', registryId: '123456789012' } },
  context: { partFirstByte: 0, partLastByte: 1 },
  now: new Date(0),
});

describe('a decision', () => {
  it('is the one that Cedar makes of all policies together, whatever the schema', () => {
    let allowed = 0;
    fc.assert(
      fc.property(randomCase, (one) => {
        for (const { proxy, cedar } of compare(one)) {
          expect(proxy).toEqual(cedar);
          allowed += Number(proxy.allowed);
        }
      }),
      fuzzed(20),
    );
    expect(allowed).toBeGreaterThan(0);
  });

  it('knows the groups of actions that an operator’s schema adds, also in other groups', () => {
    const schema = shipped
      .replace('action push;', 'action push;\naction writes in [push];\naction layers in [writes];')
      .replace('action UploadLayerPart in [push]', 'action UploadLayerPart in [layers]');
    const { decide } = load(
      schema,
      `@id("a") permit (principal == Client::"a", action in Action::"push", resource);
       @id("frozen") forbid (principal, action in Action::"writes", resource) when { resource.name == "team-a/frozen" };`,
    );
    expect(decide(part('team-a/app'))).toMatchObject({ allowed: true, policies: [{ id: 'a' }] });
    expect(decide(part('team-a/frozen'))).toMatchObject({ allowed: false, policies: [{ id: 'frozen' }] });
  });
});

describe('a schema that does not take what the proxy asks is refused', () => {
  it.each<[string, [from: string | RegExp, to: string], RegExp]>([
    ['an action is gone', ['InitiateLayerUpload, ', ''], /InitiateLayerUpload by a Client/],
    ['an action has another name', ['action PutImage', 'action PushImage'], /PutImage by a Client/],
    ['an action is not for clients', [/\[Client, Workload\]/g, '[Workload]'], /by a Client/],
    ['an action is not for workloads', [/\[Client, Workload\]/g, '[Client]'], /by a Workload/],
    ['workloads have other attributes', ['subject: String,', 'sub: String,'], /by a Workload/],
    ['workloads have no tags', ['} tags String;', '};'], /by a Workload/],
    [
      'lists of claims are of another type',
      ['ClaimLists tags Set<String>', 'ClaimLists tags Set<Long>'],
      /Workload/,
    ],
    [
      'a repository has an attribute more',
      ['registryId: String,', 'registryId: String,\n  owner: String,'],
      /owner/,
    ],
    ['a context has an attribute less', ['imageTag?: String,', ''], /PutImage by a Client/],
    ['a context has an optional one less', [/imageTagVersion\?: [^\n]*/, ''], /PutImage by a Client/],
    [
      'a context has one more',
      ['partLastByte: Long,', 'partLastByte: Long,\n    size: Long,'],
      /UploadLayerPart/,
    ],
    ['a context has one of another type', ['partLastByte: Long', 'partLastByte: String'], /UploadLayerPart/],
    ['a tag is demanded', ['imageTag?: String', 'imageTag: String'], /PutImage by a Client/],
    ['all is in a namespace', [/^([\s\S]*)$/, 'namespace Eup {\n$1\n}'], /by a Client/],
  ])('where %s', (_, [from, to], reason) => {
    const changed = shipped.replace(from, to);
    expect(changed).not.toBe(shipped);
    expect(() => load(changed)).toThrow(/^schema\.cedarschema:1:1: .* as the proxy asks/);
    expect(() => load(changed)).toThrow(reason);
  });

  it('and one that only adds to it is not', () => {
    const more = `${shipped.replace('entity Client;', 'entity Team;\nentity Client in [Team] = { owner?: String };')}
      action Delete appliesTo { principal: [Client], resource: [Repository] };`;
    expect(() => load(more)).not.toThrow();
  });
});

describe('policies that are too many', () => {
  it('are refused with the file in which they become so', () => {
    const comment = `// ${'x'.repeat(300_000)}\n`;
    const directory = policiesOf({ 'a.cedar': comment, 'b.cedar': comment });
    expect(() => loadPolicies(directory)).toThrow(
      /^b\.cedar:1:1: here the schema and the policies exceed 524288/,
    );
  });
});
