// What the hosted registry reads of its environment, and what it refuses to start with.

import { describe, expect, it } from 'vitest';
import { readHostedEnvironment } from '../../registry/hosted/environment.ts';

const least = {
  SECRET_ID: 'secret',
  POLICY_DIRECTORY: 'policies',
  REGISTRY_ID: '123456789012',
  REGISTRIES: 'ecr',
  REGISTRY: 'ecr',
};

describe('the environment of the hosted registry', () => {
  it('needs what the functions need but for S3, and which registry it is', () => {
    expect(readHostedEnvironment(least)).toMatchObject({
      host: '0.0.0.0',
      port: 8080,
      registry: 'ecr',
      healthPath: '/healthz',
      blobMode: 'redirect',
      bounds: { uploads: 24, uploadsPerClient: 16, idleMs: 120_000, keepAliveMs: 75_000 },
      stopMs: 110_000,
      behindLoadBalancer: false,
      agentUri: undefined,
      proxy: { registries: ['ecr'], stagingBucket: undefined },
    });
  });

  it('protects its task where that is configured, through the agent that ECS names', () => {
    const agent = { ECS_AGENT_URI: 'http://169.254.170.2/api/abc' };
    expect(readHostedEnvironment({ ...least, ...agent }).agentUri).toBeUndefined();
    const { agentUri } = readHostedEnvironment({ ...least, ...agent, TASK_PROTECTION: 'true' });
    expect(agentUri).toBe(agent.ECS_AGENT_URI);
  });

  it('has a place for each variable', () => {
    const all = {
      ...{ HOST: '127.0.0.1', PORT: '5000', REGISTRY: 'ecr-public', REGISTRIES: 'ecr,ecr-public' },
      ...{ HEALTH_PATH: '/health/of-this_1', BLOBS: 'stream', MAX_UPLOADS: '7', MAX_UPLOADS_PER_CLIENT: '3' },
      ...{ IDLE_SECONDS: '5', KEEP_ALIVE_SECONDS: '6', STOP_SECONDS: '0', BEHIND_LOAD_BALANCER: 'true' },
      ...{ TASK_PROTECTION: 'false', ECS_AGENT_URI: 'http://169.254.170.2/api' },
    };
    expect(readHostedEnvironment({ ...least, ...all })).toMatchObject({
      ...{ host: '127.0.0.1', port: 5_000, registry: 'ecr-public', healthPath: '/health/of-this_1' },
      bounds: { uploads: 7, uploadsPerClient: 3, idleMs: 5_000, keepAliveMs: 6_000 },
      ...{ blobMode: 'stream', stopMs: 0, behindLoadBalancer: true, agentUri: undefined },
      proxy: { registries: ['ecr', 'ecr-public'] },
    });
  });

  it.each([
    ['PORT', 0, 65_535],
    ['MAX_UPLOADS', 1, 10_000],
    ['MAX_UPLOADS_PER_CLIENT', 1, 10_000],
    ['IDLE_SECONDS', 0, 2_147_483],
    ['KEEP_ALIVE_SECONDS', 0, 2_147_483],
    ['STOP_SECONDS', 0, 2_147_483],
  ])('takes %s from %i to %i', (name, from, to) => {
    const read = (value: number) => readHostedEnvironment({ ...least, [name]: String(value) });
    expect(() => [read(from), read(to)]).not.toThrow();
    for (const value of [from - 1, to + 1, from + 0.5, Number.NaN]) {
      expect(() => read(value), `${value}`).toThrow(name);
    }
  });

  it.each(['/', '/healthz', '/v2x', '/v20/health', '/a/v2/', '/-_9'])('takes %s as a health path', (path) => {
    expect(readHostedEnvironment({ ...least, HEALTH_PATH: path }).healthPath).toBe(path);
  });

  it.each(['', 'healthz', '/v2', '/v2/', '/v2/health', '/a b', '/a?b', '/a\n', 'x/a', '/é'])(
    'takes no %j as a health path',
    (path) => {
      expect(() => readHostedEnvironment({ ...least, HEALTH_PATH: path })).toThrow(
        'expected a path that is not below /v2/',
      );
    },
  );

  it.each(['1', 'yes', 'TRUE', ''])('takes no %j for true or false', (text) => {
    for (const name of ['BEHIND_LOAD_BALANCER', 'TASK_PROTECTION']) {
      expect(() => readHostedEnvironment({ ...least, [name]: text })).toThrow(name);
    }
  });

  it.each(['https://169.254.170.2/', 'ftp://x/', 'http//x', 'xhttp://x/', 'httpx://x/'])(
    'takes no %s for an agent of ECS',
    (uri) => {
      const agent = { ECS_AGENT_URI: uri, TASK_PROTECTION: 'true' };
      expect(() => readHostedEnvironment({ ...least, ...agent })).toThrow('ECS_AGENT_URI');
    },
  );

  it.each<[string, Record<string, string>, RegExp]>([
    ['no secret', { SECRET_ID: '' }, /SECRET_ID/],
    [
      'another registry than the proxy has',
      { REGISTRY: 'ecr-public' },
      /^REGISTRY is ecr-public: expected one of REGISTRIES, ecr$/,
    ],
    ['a registry that none of several is', { REGISTRIES: 'ecr,ecr', REGISTRY: 'ecr-public' }, / ecr,ecr$/],
    ['a registry that is none', { REGISTRY: 'docker' }, /REGISTRY/],
    ['a port that is none', { PORT: '70000' }, /PORT/],
    ['a health path below /v2/', { HEALTH_PATH: '/v2/health' }, /HEALTH_PATH/],
    ['no upload at all', { MAX_UPLOADS: '0' }, /MAX_UPLOADS/],
    ['a time that is none', { IDLE_SECONDS: 'soon' }, /IDLE_SECONDS/],
    ['a way to read blobs that is none', { BLOBS: 'mail' }, /BLOBS/],
    [
      'a protection without an agent',
      { TASK_PROTECTION: 'true' },
      /ECS_AGENT_URI(.|\n)*expected, as TASK_PROTECTION is true: Amazon ECS sets it/,
    ],
  ])('refuses %s', (_, more, message) => {
    expect(() => readHostedEnvironment({ ...least, ...more })).toThrow(message);
  });
});
