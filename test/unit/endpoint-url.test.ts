// Where a token may be sent: over TLS anywhere, in clear text on this machine alone, and nowhere by a detour.

import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endpointUrlOf } from '../../client/endpoint-url.ts';
import { ProxyClient } from '../../client/proxy-client.ts';
import { startCountingProxy } from '../support/counting-proxy.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { begin, repositoryName } from '../support/scenes.ts';
import { playScript } from '../support/scripted-api.ts';

const token = 'eup_team-a-ci_s3cr3t';

describe('an endpoint', () => {
  it.each([
    'https://x.test',
    'https://10.0.0.1/prod',
    'http://127.0.0.1:8080',
    'http://127.9.8.7',
    'http://127.1/prod',
    'http://LOCALHOST:8080/prod',
    'http://[::1]:8080',
  ])('%s may have the token', (endpoint) => {
    expect(endpointUrlOf({ endpoint }).href).toBe(new URL(endpoint).href);
  });

  it.each([
    'http://x.test',
    'http://10.0.0.1',
    'http://0.0.0.0:8080',
    'http://[::]:8080',
    'http://localhost.x.test',
    'http://x.localhost',
    'http://127.0.0.1.x.test',
    'http:x.test',
    'HTTP:\\\\x.test',
    'http://host.docker.internal:8080',
  ])('%s has it in clear text, if that is allowed', (endpoint) => {
    expect(() => endpointUrlOf({ endpoint })).toThrow(/clear text.*--allow-cleartext/);
    expect(() => new ProxyClient({ endpoint, token })).toThrow(TypeError);
    expect(endpointUrlOf({ endpoint, allowCleartext: true }).protocol).toBe('http:');
  });

  it('of any kind never takes the token over plain http to another machine', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['http', 'https'] }), (endpoint) => {
        const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
        fc.pre(
          url !== undefined && url.protocol === 'http:' && !/^(127\.|\[::1\]|localhost$)/.test(url.hostname),
        );
        expect(() => endpointUrlOf({ endpoint })).toThrow(TypeError);
      }),
      fuzzed(300),
    );
  });
});

describe('a token', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('does not follow a redirect', async () => {
    const elsewhere = await startCountingProxy();
    for (const status of [301, 302, 303, 307, 308]) {
      const reply = { status, headers: { location: `${elsewhere.url}/ecr/layer-uploads` } };
      const api = await playScript([{ ...begin(1), reply }]);
      const client = new ProxyClient({ endpoint: api.url, token });
      await expect(client.send('InitiateLayerUpload', { repositoryName })).rejects.toMatchObject({ status });
    }
    expect(elsewhere.requests()).toBe(0);
    await elsewhere.close();
  });

  it('that is for this machine does not go through a proxy of the network', async () => {
    const network = await startCountingProxy();
    vi.stubEnv('http_proxy', network.url).stubEnv('no_proxy', '').resetModules();
    const fresh = await import('../../client/proxy-client.ts');
    const api = await playScript([begin(1)]);
    const client = new fresh.ProxyClient({ endpoint: api.url, token });
    await client.send('InitiateLayerUpload', { repositoryName });
    expect([network.requests(), api.authorizations]).toEqual([0, [`Bearer ${token}`]]);
    await network.close();
  });
});
