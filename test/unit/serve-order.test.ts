// The order of the steps: what a call has caused by the time that it is refused, cancelled or answered.

import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { OperationName } from '../../api/operations.ts';
import type { IncomingCall, RawMembers } from '../../lambda/incoming-call.ts';
import { decide, exchange, identify, type ServeServices, serve } from '../../lambda/serve.ts';
import type { Decision } from '../../policy/policies.ts';
import { proxyErrorFrom } from '../support/forwarding.ts';
import { ecrAnswering, oneAnswer } from '../support/one-answer.ts';

const token = 'eup_ci_secret';
const secret = {
  sealingKey: 'k'.repeat(32),
  clients: { ci: [{ sha256: createHash('sha256').update(token).digest('hex') }] },
};
const client = { type: 'Client', id: 'ci' };
const headers = { authorization: `Bearer ${token}` };
const allowed: Decision = { allowed: true, policies: [], errors: [] };

/** @param cancelsAt the step at whose end the caller goes away */
function open({ decision = allowed, cancelsAt = '' } = {}) {
  const done: string[] = [];
  const controller = new AbortController();
  const step = (name: string) => {
    done.push(name);
    if (name === cancelsAt) {
      controller.abort(new DOMException('gone', 'AbortError'));
    }
  };
  const answer = vi.fn(oneAnswer(() => step('forward')));
  const count = vi.fn(async () => {});
  const create = vi.fn(async () => ({ sessionToken: 'eups_x', expiresAt: 'then' }));
  const services: ServeServices = {
    tokens: {
      readSecret: async () => {
        step('authenticate');
        return secret;
      },
      verifyOidcToken: async () => {
        throw new TypeError('a fault');
      },
      sessionTokens: {
        create,
        verify: async () => ({ ...client, type: 'Client', tokenIsExchanged: true }),
      },
    },
    authority: {
      policies: {
        decide: () => {
          step('authorize');
          return decision;
        },
      },
      readSecret: async () => secret,
      accounts: { own: '123456789012', others: [], aliases: [] },
      count,
    },
    upstream: {
      ecr: { ecr: ecrAnswering(answer), 'ecr-public': ecrAnswering(answer) },
      staging: () => ({ head: async () => undefined, get: async () => undefined, put: async () => true }),
      readSecret: async () => secret,
    },
  };
  const record = { serves: vi.fn(), add: vi.fn(), count: vi.fn(), warn: vi.fn(), end: vi.fn() };
  const call = <Name extends OperationName>(
    operation: Name,
    members: RawMembers = {},
    more: Partial<Omit<IncomingCall, 'operation'>> = {},
  ): IncomingCall<Name> => ({
    ...{ operation, registry: 'ecr', headers, record, abortSignal: controller.signal },
    readMembers: async () => {
      step('validate');
      return { repositoryName: 'team/app', ...members };
    },
    refusesUnknownMembers: true,
    ...more,
  });
  return { services, call, done, record, count, create, answer, signal: controller.signal };
}

const all = ['authenticate', 'validate', 'authorize', 'forward'];

describe('a call', () => {
  it('goes through the steps in their order, and is answered', async () => {
    const { services, call, done, record, signal, answer } = open();
    expect(await serve(call('ListImages'), services)).toEqual({ imageIds: [] });
    expect(done).toEqual(all);
    expect(record.add.mock.calls).toEqual([
      [{ principal: 'Client::ci', tokenIsExchanged: undefined }],
      [expect.objectContaining({ decision: 'allow', repositoryName: 'team/app' })],
    ]);
    expect(answer).toHaveBeenCalledWith({ registryId: '123456789012', repositoryName: 'team/app' }, signal);
  });

  it('without a token has no body read', async () => {
    const { services, call, done } = open();
    const error = await proxyErrorFrom(serve(call('ListImages', {}, { headers: {} }), services));
    expect(error.code).toBe('UnrecognizedClientException');
    expect(done).toEqual([]);
  });

  it('that is no valid one is not decided about', async () => {
    const { services, call, done } = open();
    expect((await proxyErrorFrom(serve(call('ListImages', { x: 1 }), services))).code).toBe(
      'InvalidParameterException',
    );
    expect(done).toEqual(['authenticate', 'validate']);
  });

  it('that the policy refuses is not forwarded', async () => {
    const { services, call, done } = open({ decision: { ...allowed, allowed: false } });
    expect((await proxyErrorFrom(serve(call('ListImages'), services))).code).toBe('AccessDeniedException');
    expect(done).toEqual(['authenticate', 'validate', 'authorize']);
  });

  it.each([
    ['authenticate', 1],
    ['validate', 2],
    ['authorize', 3],
  ])('that is cancelled in %s ends there', async (cancelsAt, steps) => {
    const { services, call, done } = open({ cancelsAt });
    expect((await proxyErrorFrom(serve(call('ListImages'), services))).code).toBe('GatewayTimeoutException');
    expect(done).toEqual(all.slice(0, steps));
  });

  it('that meets a fault is answered as a fault', async () => {
    const { services, call } = open();
    const failed = serve(call('ListImages', {}, { headers: { authorization: 'Bearer a.b.c' } }), services);
    expect(await proxyErrorFrom(failed)).toMatchObject({
      code: 'InternalFailure',
      cause: new TypeError('a fault'),
    });
  });

  it('counts and warns in its own record, and tells of quotas that are nearly used', async () => {
    const { services, call, record, count } = open();
    const { uploadId } = await serve(call('InitiateLayerUpload'), services);
    const part = { uploadId, partFirstByte: 0, partLastByte: 1, layerPartBlob: new Uint8Array(2) };
    await serve(call('UploadLayerPart', part), services);
    expect(record.count.mock.calls).toEqual([['Bytes', 2]]);
    expect(count).toHaveBeenCalledTimes(1);
    const tellNearlyUsed = () => {};
    const digest = `sha256:${'a'.repeat(64)}`;
    const imageManifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'a/b', digest, size: 1 },
      layers: [],
    });
    await serve(call('PutImage', { imageManifest }, { tellNearlyUsed }), services);
    expect(count.mock.calls[1]).toMatchObject([{}, [{}, {}], { tellNearlyUsed }]);
  });
});

describe('a question about a call', () => {
  it('asks the policy, counts nothing and forwards nothing', async () => {
    const { services, call, done, count } = open();
    const part = { uploadId: 'none', partFirstByte: 0, partLastByte: 0, layerPartBlob: new Uint8Array(1) };
    expect(await decide(call('UploadLayerPart', part), services)).toBeUndefined();
    expect(done).toEqual(['authenticate', 'validate', 'authorize']);
    expect(count).not.toHaveBeenCalled();
  });

  it('is refused as the call would be', async () => {
    const refused = open({ decision: { ...allowed, allowed: false } });
    expect((await proxyErrorFrom(decide(refused.call('ListImages'), refused.services))).code).toBe(
      'AccessDeniedException',
    );
    const { services, call } = open();
    expect((await proxyErrorFrom(decide(call('ListImages', { x: 1 }), services))).code).toBe(
      'InvalidParameterException',
    );
  });
});

describe('a caller', () => {
  const callerOf = ({ record, signal }: ReturnType<typeof open>, more = {}) => ({
    ...{ headers, record, abortSignal: signal, ...more },
  });

  it('is who the token says', async () => {
    const opened = open();
    expect(await identify(callerOf(opened), opened.services)).toEqual(client);
    expect(opened.record.add.mock.calls).toEqual([
      [{ principal: 'Client::ci', tokenIsExchanged: undefined }],
    ]);
    const exchanged = callerOf(opened, { headers: { authorization: 'Bearer eups_x' } });
    expect(await identify(exchanged, opened.services)).toMatchObject({ tokenIsExchanged: true });
    expect(opened.record.add).toHaveBeenLastCalledWith({ principal: 'Client::ci', tokenIsExchanged: true });
    const nobody = identify(callerOf(opened, { headers: {} }), opened.services);
    expect((await proxyErrorFrom(nobody)).code).toBe('UnrecognizedClientException');
  });

  it('who has gone is not told', async () => {
    const opened = open({ cancelsAt: 'authenticate' });
    const gone = identify(callerOf(opened), opened.services);
    expect((await proxyErrorFrom(gone)).code).toBe('GatewayTimeoutException');
  });

  it('gets a session token for the token that was sent', async () => {
    const opened = open();
    expect(await exchange(callerOf(opened), opened.services)).toEqual({
      sessionToken: 'eups_x',
      expiresAt: 'then',
    });
    expect(opened.create.mock.calls).toEqual([[token, client]]);
    expect(opened.record.add).toHaveBeenLastCalledWith({ sessionTokenExpiresAt: 'then' });
  });

  it('gets none where there are none', async () => {
    const opened = open();
    const services = { ...opened.services, tokens: { ...opened.services.tokens, sessionTokens: undefined } };
    expect(await proxyErrorFrom(exchange(callerOf(opened), services))).toMatchObject({
      code: 'InternalFailure',
      cause: new Error('session tokens are not configured'),
    });
  });
});
