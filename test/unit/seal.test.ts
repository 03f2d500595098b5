import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partSize } from '../../api/limits.ts';
import { openSeal, type PartSending, type SealBinding, seal } from '../../lambda/upload/seal.ts';

const key = 'k'.repeat(32);
const uploadId = '11111111-2222-3333-4444-555555555555';
const upload = { uploadId, sending: { pairsOf: partSize } };
const binding: SealBinding = {
  principal: { type: 'Client', id: 'team-a-ci' },
  registry: 'ecr',
  registryId: '123456789012',
  repositoryName: 'team-a/app',
};

describe('a sealed upload id', () => {
  it('opens for the client, registry and repository it was sealed for', () => {
    expect(openSeal([key], seal(key, upload, binding), binding)).toEqual(upload);
  });

  it.each<[string, Partial<SealBinding>]>([
    ['another client', { principal: { type: 'Client', id: 'team-b-ci' } }],
    [
      'a workload of the same name',
      { principal: { type: 'Workload', id: 'team-a-ci', issuer: 'i', subject: 's', claims: {} } },
    ],
    ['another repository', { repositoryName: 'team-a/big' }],
    ['another registry', { registry: 'ecr-public' }],
    ['another account', { registryId: '210987654321' }],
  ])('does not open for %s', (_, other) => {
    expect(openSeal([key], seal(key, upload, binding), { ...binding, ...other })).toBeUndefined();
  });

  it('does not open with another key', () => {
    expect(openSeal(['x'.repeat(32)], seal(key, upload, binding), binding)).toBeUndefined();
  });

  it('opens with any of several keys, whichever of them sealed it', () => {
    const keys = ['a', 'b', 'c'].map((letter) => letter.repeat(32));
    for (const own of keys) {
      expect(openSeal(keys, seal(own, upload, binding), binding)).toEqual(upload);
    }
    expect(openSeal([], seal(key, upload, binding), binding)).toBeUndefined();
  });

  it('does not confuse a boundary between its bound values', () => {
    const sealed = seal(key, upload, { ...binding, registryId: '12', repositoryName: '3/app' });
    expect(
      openSeal([key], sealed, { ...binding, registryId: '123', repositoryName: '/app' }),
    ).toBeUndefined();
  });

  it('does not open for any other text, ECR’s own id among them', () => {
    expect(openSeal([key], uploadId, binding)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => openSeal([key], text, binding) === undefined));
  });

  it('keeps to the characters of ECR’s ids, so that it needs no escape in a path', () => {
    expect(seal(key, upload, binding)).toMatch(/^[0-9a-f-]{69}$/);
  });
});

describe('how the parts of an upload are sent', () => {
  const ways: readonly PartSending[] = [{ pairsOf: 4_194_304 }, { pairsOf: 3_145_728 }, 'direct'];

  it.each(ways)('is what it was when the id was sealed: %j', (sending) => {
    const sealed = seal(key, { uploadId, sending }, binding);
    expect(openSeal([key], sealed, binding)).toEqual({ uploadId, sending });
    expect(sealed).toMatch(/^[0-9a-f-]+$/);
  });

  it('cannot be changed by a client that has the id', () => {
    const texts = ways.map((sending) => seal(key, { uploadId, sending }, binding));
    for (const tag of texts.map((text) => text.slice(-32))) {
      const opened = ['', '-0', '-00', '-300000', '-0300000', '-400000']
        .map((mark) => `${uploadId}${mark}-${tag}`)
        .filter((text) => openSeal([key], text, binding) !== undefined);
      expect(opened).toHaveLength(1);
      expect(texts).toContain(opened[0]);
    }
  });

  it('is pairs of 4 MiB in ids of versions that sealed nothing else, which open each other’s', () => {
    const before = createHmac('sha256', key)
      .update(JSON.stringify(['Client', 'team-a-ci', 'ecr', '123456789012', 'team-a/app', uploadId]))
      .digest('hex')
      .slice(0, 32);
    expect(openSeal([key], `${uploadId}-${before}`, binding)?.sending).toEqual({ pairsOf: 4_194_304 });
    expect(seal(key, { uploadId, sending: { pairsOf: 4_194_304 } }, binding)).toBe(`${uploadId}-${before}`);
  });
});
