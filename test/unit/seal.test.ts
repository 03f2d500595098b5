import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSeal, type SealBinding, seal } from '../../lambda/upload/seal.ts';

const key = 'k'.repeat(32);
const uploadId = '11111111-2222-3333-4444-555555555555';
const binding: SealBinding = {
  principal: { type: 'Client', id: 'team-a-ci' },
  registry: 'ecr',
  registryId: '123456789012',
  repositoryName: 'team-a/app',
};

describe('a sealed upload id', () => {
  it('opens for the client, registry and repository it was sealed for', () => {
    expect(openSeal([key], seal(key, uploadId, binding), binding)).toBe(uploadId);
  });

  it.each<[string, Partial<SealBinding>]>([
    ['another client', { principal: { type: 'Client', id: 'team-b-ci' } }],
    ['another repository', { repositoryName: 'team-a/big' }],
    ['another registry', { registry: 'ecr-public' }],
    ['another account', { registryId: '210987654321' }],
  ])('does not open for %s', (_, other) => {
    expect(openSeal([key], seal(key, uploadId, binding), { ...binding, ...other })).toBeUndefined();
  });

  it('does not open with another key', () => {
    expect(openSeal(['x'.repeat(32)], seal(key, uploadId, binding), binding)).toBeUndefined();
  });

  it('does not confuse a boundary between its bound values', () => {
    const sealed = seal(key, uploadId, { ...binding, registryId: '12', repositoryName: '3/app' });
    expect(
      openSeal([key], sealed, { ...binding, registryId: '123', repositoryName: '/app' }),
    ).toBeUndefined();
  });

  it('does not open for any other text, ECR’s own id among them', () => {
    expect(openSeal([key], uploadId, binding)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => openSeal([key], text, binding) === undefined));
  });

  it('keeps to the characters of ECR’s ids, so that it needs no escape in a path', () => {
    expect(seal(key, uploadId, binding)).toMatch(/^[0-9a-f-]{69}$/);
  });
});
