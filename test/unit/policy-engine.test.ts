// An engine that fails denies, says so, and is replaced: no request makes the next one fail.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Cedar, newCedar } from '../../policy/cedar.ts';
import { type DecisionRequest, openPolicies } from '../../policy/policies.ts';
import { PolicyError, readPolicyText } from '../../policy/policy-files.ts';
import { workload } from '../../policy/principal.ts';
import { chains } from '../support/deep-policies.ts';

const schema = readFileSync(join(import.meta.dirname, '../../policies/schema.cedarschema'), 'utf8');

const policies = readPolicyText(
  'a.cedar',
  `@id("all") permit (principal, action, resource);
   @id("watched") @mode("audit") forbid (principal == Client::"watched", action, resource);`,
);

const enforcedOnes = policies.filter(({ audit }) => !audit);

const good: DecisionRequest = {
  principal: { type: 'Client', id: 'good' },
  action: 'InitiateLayerUpload',
  resource: { id: 'r', attrs: { name: 'a/b', namespace: 'a', registry: 'ecr', registryId: '1' } },
  context: {},
  now: new Date(0),
};
const allowed = { allowed: true, policies: [{ id: 'all' }], errors: [] };

const image = (more: DecisionRequest['context']): DecisionRequest => ({
  ...good,
  action: 'PutImage',
  context: {
    imageDigest: 'sha256:0',
    imageManifestMediaType: '',
    layerCount: 0,
    layerMediaTypes: [],
    totalBytes: 0,
    platformCount: 0,
    annotations: {},
    ...more,
  },
});

describe('text that is not well-formed Unicode', () => {
  const { decide } = openPolicies({ schema, policies });
  const lone = 'a\ud800';
  const requests: Readonly<Record<string, DecisionRequest>> = {
    'a client’s name': { ...good, principal: { type: 'Client', id: lone } },
    'a subject': { ...good, principal: workload('https://issuer', lone, {}) },
    'a claim': { ...good, principal: workload('https://issuer', 's', { ref: lone }) },
    'a claim’s name': { ...good, principal: workload('https://issuer', 's', { [lone]: 'x' }) },
    'a claim that is a list': {
      ...good,
      principal: workload('https://issuer', 's', { groups: ['x', lone] }),
    },
    'a repository’s name': {
      ...good,
      resource: { id: 'r', attrs: { ...good.resource.attrs, name: lone } },
    },
    'an action': { ...good, action: lone },
    'a tag': image({ imageTag: lone }),
    'an artifact type': image({ artifactType: '\udc00' }),
    'a layer’s media type': image({ layerMediaTypes: [lone] }),
    'an annotation': image({ annotations: { x: lone } }),
    'an annotation’s name': image({ annotations: { [lone]: 'x' } }),
    'a version': image({ imageTagVersion: { major: 1, minor: 0, patch: 0, prerelease: lone } }),
  };

  it.each(Object.entries(requests))('is denied in %s', (_, request) => {
    expect(decide(request)).toEqual({
      allowed: false,
      policies: [],
      errors: ['the request holds text that is not well-formed Unicode'],
    });
  });

  it('is denied 10,000 times, and the next request is as quick as the first', () => {
    const before = process.cpuUsage();
    for (let n = 0; n < 10_000; n++) {
      expect(decide(requests['a claim'] ?? good).allowed).toBe(false);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(10_000);
    expect(decide(good)).toEqual(allowed);
  });
});

/** The real engine, but for requests of the client `fatal`, which end it as `fail` says. */
function planted(fail: (cedar: Cedar) => void) {
  const made = { engines: 0 };
  const make = (): Cedar => {
    made.engines++;
    const cedar = newCedar();
    return {
      ...cedar,
      statefulIsAuthorized: (call) => {
        if ('id' in call.principal && call.principal.id === 'fatal') {
          fail(cedar);
        }
        return cedar.statefulIsAuthorized(call);
      },
    };
  };
  return { made, decide: openPolicies({ schema, policies }, make).decide };
}

const fatal: DecisionRequest = { ...good, principal: { type: 'Client', id: 'fatal' } };

const deep = chains['||']?.(500) ?? '';
const ask = (cedar: Cedar, id: string) =>
  cedar.isAuthorized({
    principal: { type: 'Client', id },
    action: { type: 'Action', id: 'UploadLayerPart' },
    resource: { type: 'Repository', id: 'r' },
    context: {},
    entities: [{ uid: { type: 'Repository', id: 'r' }, attrs: { name: 'x' }, parents: [] }],
    policies: { staticPolicies: deep },
  });

const failures: Readonly<Record<string, [fail: (cedar: Cedar) => void, told: RegExp]>> = {
  'the trap of a policy that is too deep': [
    (cedar) => ask(cedar, 'a'),
    /RuntimeError: memory access out of bounds/,
  ],
  'what Cedar throws at a lone surrogate': [
    (cedar) => ask(cedar, '\ud800'),
    /Error: unexpected end of hex escape/,
  ],
  'a stack that JavaScript has used up': [
    () => {
      throw new RangeError('Maximum call stack size exceeded');
    },
    /RangeError: Maximum call stack/,
  ],
  'memory that cannot grow': [
    () => {
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    },
    /RangeError: WebAssembly.Memory/,
  ],
};

describe('an engine that failed', () => {
  it.each(Object.entries(failures))('denies, logs it and is replaced: %s', (_, [fail, told]) => {
    const { made, decide } = planted(fail);
    expect(made.engines).toBe(1);
    const denied = decide(fatal);
    expect(denied).toMatchObject({ allowed: false, policies: [] });
    expect(denied.errors).toEqual([expect.stringMatching(told)]);
    expect(denied.errors[0]).toMatch(/^Cedar's engine failed: /);
    expect(decide(good)).toEqual(allowed);
    expect(decide({ ...good, principal: { type: 'Client', id: 'watched' } })).toMatchObject({
      ...allowed,
      audit: { allowed: false, policies: [{ id: 'watched' }] },
    });
  });

  it('costs who made it fail some milliseconds, each time', () => {
    const { decide } = planted((cedar) => ask(cedar, 'a'));
    const before = process.cpuUsage();
    const times = 30;
    for (let n = 0; n < times; n++) {
      expect(decide(fatal).allowed).toBe(false);
      expect(decide(good).allowed).toBe(true);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000 / times).toBeLessThan(300);
  });

  it('10,000 times over: the next request is decided', () => {
    const cedar = newCedar();
    let engines = 0;
    const make = (): Cedar => {
      engines++;
      // Parsing 10,000 times what the engine has already would only take time.
      const parsed = { type: 'success' } as const;
      return {
        ...cedar,
        ...(engines > 1 && { preparseSchema: () => parsed, preparsePolicySet: () => parsed }),
        statefulIsAuthorized: (call) => {
          if ('id' in call.principal && call.principal.id === 'fatal') {
            throw new Error('out of bounds');
          }
          return cedar.statefulIsAuthorized(call);
        },
      };
    };
    const { decide } = openPolicies({ schema, policies: enforcedOnes }, make);
    for (let n = 0; n < 10_000; n++) {
      expect(decide(fatal).allowed).toBe(false);
    }
    expect(engines).toBe(10_001);
    expect(decide(good)).toEqual(allowed);
  });

  it('and cannot be replaced at once denies until it can', () => {
    let engines = 0;
    const make = (): Cedar => {
      engines++;
      if (engines === 2 || engines === 3) {
        throw new RangeError('WebAssembly.Memory(): could not allocate memory');
      }
      const cedar = newCedar();
      const first = engines === 1;
      return {
        ...cedar,
        statefulIsAuthorized: (call) =>
          first && 'id' in call.principal && call.principal.id === 'fatal'
            ? ask(cedar, 'a')
            : cedar.statefulIsAuthorized(call),
      };
    };
    const { decide } = openPolicies({ schema, policies: enforcedOnes }, make);
    expect(decide(fatal).errors[0]).toMatch(/out of bounds/);
    expect(decide(good)).toMatchObject({
      allowed: false,
      errors: [expect.stringMatching(/could not allocate/)],
    });
    expect(decide(good)).toEqual(allowed);
  });

  it('as it starts is a start that failed', () => {
    const make = (): Cedar => ({ ...newCedar(), statefulIsAuthorized: () => ask(newCedar(), 'a') });
    expect(() => openPolicies({ schema, policies }, make)).toThrow(PolicyError);
    const broken = (): Cedar => {
      throw new RangeError('could not allocate memory');
    };
    expect(() => openPolicies({ schema, policies }, broken)).toThrow(/could not allocate memory/);
  });

  it('that only watches refuses nobody', () => {
    const make = (): Cedar => {
      const cedar = newCedar();
      return {
        ...cedar,
        statefulIsAuthorized: (call) =>
          call.preparsedPolicySetId === 'watched' && 'id' in call.principal && call.principal.id === 'fatal'
            ? ask(cedar, 'a')
            : cedar.statefulIsAuthorized(call),
      };
    };
    const { decide } = openPolicies({ schema, policies }, make);
    expect(decide(fatal)).toMatchObject({
      ...allowed,
      audit: { allowed: false, errors: [expect.stringMatching(/out of bounds/)] },
    });
    expect(decide(good)).toEqual(allowed);
  });
});

describe('what a client sends', () => {
  it('is not repeated at length in the log', () => {
    const { decide } = openPolicies({ schema, policies });
    const { errors } = decide({ ...good, action: 'x'.repeat(1_000_000) });
    expect(errors.join('').length).toBeGreaterThan(0);
    expect(errors.join('').length).toBeLessThan(5_001);
  });

  it('may have names that JavaScript gives a meaning', () => {
    const forbidding = readPolicyText(
      'a.cedar',
      `permit (principal, action, resource);
       @id("proto") forbid (principal is Workload, action, resource) when { principal.hasTag("__proto__") };
       @id("lists") forbid (principal is Workload, action, resource) when { principal.lists.hasTag("__proto__") };`,
    );
    const { decide } = openPolicies({ schema, policies: forbidding });
    const claimed = (claims: string) => {
      const principal = workload('https://issuer', 's', JSON.parse(claims));
      return decide({ ...good, principal }).policies;
    };
    expect(claimed('{"__proto__":"x"}')).toEqual([{ id: 'proto' }]);
    expect(claimed('{"__proto__":["x"]}')).toEqual([{ id: 'lists' }]);
  });
});
