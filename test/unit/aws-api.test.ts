// How the AWS API finds the operation that X-Amz-Target names, and what it says where there is none.

import { describe, expect, it } from 'vitest';
import { operationNames } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import { awsApi } from '../../lambda/gateway/aws-api.ts';
import { proxyEvent } from '../support/proxy-event.ts';

const ecr = 'AmazonEC2ContainerRegistry_V20150921';
const ecrPublic = 'SpencerFrontendService';

function find(
  target: string | undefined,
  configured: readonly Registry[] = ['ecr', 'ecr-public'],
  headers: Record<string, string> = {},
) {
  const event = proxyEvent('InitiateLayerUpload', {});
  return awsApi(configured).find({
    ...event,
    headers: { ...headers, ...(target !== undefined && { 'x-amz-target': target }) },
  });
}

describe('the AWS API', () => {
  it.each([
    [`${ecr}.PutImage`, { operation: 'PutImage', registry: 'ecr' }],
    [`${ecrPublic}.UploadLayerPart`, { operation: 'UploadLayerPart', registry: 'ecr-public' }],
  ])('finds %s', (target, call) => {
    expect(find(target)).toEqual({ ...call, isRepeated: false });
  });

  it.each([
    ['no target', undefined],
    ['an empty target', ''],
    ['a target without an operation', ecr],
    ['a target of another service', 'DynamoDB_20120810.PutItem'],
    ['a target that goes on', `${ecr}.PutImage.PutImage`],
    ['an operation in other letters', `${ecr}.putImage`],
    ['an operation that the proxy does not offer', `${ecr}.DescribeRepositories`],
    ['the name of a member of every object', `${ecr}.constructor`],
    ['the name of the prototype', `${ecr}.__proto__`],
  ])('answers %s with UnknownOperationException, naming what is offered', (_, target) => {
    expect(() => find(target)).toThrow(
      expect.objectContaining({
        code: 'UnknownOperationException',
        message: `X-Amz-Target names no operation of this proxy. This proxy offers ${operationNames.join(', ')}.`,
      }),
    );
  });

  it('answers an operation that the other registry has alone with what this one has', () => {
    expect(() => find(`${ecrPublic}.BatchGetImage`)).toThrow(
      expect.objectContaining({
        code: 'UnknownOperationException',
        message:
          'Amazon ECR Public’s API has no BatchGetImage. This proxy offers InitiateLayerUpload, ' +
          'UploadLayerPart, CompleteLayerUpload, BatchCheckLayerAvailability, PutImage.',
      }),
    );
  });

  it.each([ecr, ecrPublic])('says what to do instead of GetAuthorizationToken (%s)', (prefix) => {
    expect(() => find(`${prefix}.GetAuthorizationToken`)).toThrow('Clients push with their own token');
  });

  it('serves no registry that the stack is not configured for', () => {
    expect(() => find(`${ecrPublic}.PutImage`, ['ecr'])).toThrow(
      'This proxy serves ecr, and is not configured for ecr-public.',
    );
    expect(() => find(`${ecr}.PutImage`, ['ecr-public'])).toThrow('is not configured for ecr.');
    expect(find(`${ecr}.PutImage`, ['ecr']).registry).toBe('ecr');
  });

  it.each([
    ['attempt=1; max=3', false],
    ['attempt=2; max=3', true],
    ['ttl=20261121T063000Z; attempt=10; max=12', true],
    ['', false],
  ])('takes "%s" for a repeated request: %s', (header, isRepeated) => {
    expect(find(`${ecr}.PutImage`, ['ecr'], { 'amz-sdk-request': header })).toMatchObject({ isRepeated });
  });
});
