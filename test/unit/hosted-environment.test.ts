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

  it.each<[string, Record<string, string>, RegExp]>([
    ['no secret', { SECRET_ID: '' }, /SECRET_ID/],
    ['another registry than the proxy has', { REGISTRY: 'ecr-public' }, /REGISTRY is ecr-public/],
    ['a registry that is none', { REGISTRY: 'docker' }, /REGISTRY/],
    ['a port that is none', { PORT: '70000' }, /PORT/],
    ['a health path below /v2/', { HEALTH_PATH: '/v2/health' }, /HEALTH_PATH/],
    ['no upload at all', { MAX_UPLOADS: '0' }, /MAX_UPLOADS/],
    ['a time that is none', { IDLE_SECONDS: 'soon' }, /IDLE_SECONDS/],
    ['a way to read blobs that is none', { BLOBS: 'mail' }, /BLOBS/],
    ['a protection without an agent', { TASK_PROTECTION: 'true' }, /ECS_AGENT_URI/],
  ])('refuses %s', (_, more, message) => {
    expect(() => readHostedEnvironment({ ...least, ...more })).toThrow(message);
  });
});
