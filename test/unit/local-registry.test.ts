// The registry endpoint as it is configured on this machine: what the operator decided, and an image that is here.

import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../lib/configuration/configuration.ts';
import { localEndpoint } from '../../local/registry/configuration.ts';
import { configurations } from '../support/stacks.ts';

const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/registry-endpoint:${'c'.repeat(64)}@sha256:${'c'.repeat(64)}`;
const { fargate } = configurations;

const configured = (registryEndpoint: object | undefined, others: object = {}) =>
  readConfiguration({
    repositories: fargate.repositories,
    ...others,
    registryEndpoint: localEndpoint(registryEndpoint && { ...registryEndpoint }, image),
  }).registryEndpoint;

describe('the registry endpoint on this machine', () => {
  it('is there where the configuration has none', () => {
    expect(configured(undefined)).toMatchObject({ host: 'fargate', image, blobs: 'stream' });
  });

  it('is the configured one, but for its image', () => {
    const { registryEndpoint } = readConfiguration(fargate);
    expect(configured(fargate.registryEndpoint)).toEqual({ ...registryEndpoint, image });
  });

  it('serves what a web function would', () => {
    const server = { registry: 'ecr-public', blobs: 'stream', maxUploadsPerClient: 3 };
    const webFunction = { host: 'web-function', ...server, maxEnvironments: 5, allowAnyAddress: true };
    expect(configured(webFunction)).toMatchObject({ host: 'fargate', image, ...server });
  });

  it.each([
    ['by IPv6 or a VPC endpoint', configurations.private, { allowedIpRanges: ['2001:db8::/32'] }],
    ['with a client certificate', configurations['custom-domain'], {}],
  ])('is there beside an API that is reached %s alone', (_, closed, more) => {
    expect(configured(undefined, { ...closed, ...more })).toMatchObject({ host: 'fargate' });
  });
});
