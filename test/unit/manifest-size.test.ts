// The largest manifests that are read, and the first that are refused: apart, since they take a second or two.

import { describe, expect, it } from 'vitest';
import { readManifest } from '../../api/manifest.ts';
import { descriptor, manifestOf, ociLayer } from '../support/manifests.ts';

const layer = descriptor('x', ociLayer);
const config = descriptor('x', 'application/vnd.oci.image.config.v1+json');
const image: object = JSON.parse(manifestOf(Buffer.from('x'), [Buffer.from('x')]));

describe('a manifest', () => {
  it('of the largest size is read', () => {
    const layers = Array.from({ length: 10_000 }, () => ({
      ...layer,
      annotations: { 'org.opencontainers.image.title': 'x'.repeat(200) },
    }));
    const text = JSON.stringify({ ...image, layers });
    expect(text.length).toBeGreaterThan(4_000_000);
    expect(readManifest(text, undefined)).toMatchObject({ facts: { layerCount: 10_000 } });
  });

  /** As OCI's conformance suite puts one. */
  it('whose annotations fill it is read', () => {
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, index) => [`key-${index}`, 'x'.repeat(10_000)]),
    );
    expect(readManifest(JSON.stringify({ ...image, annotations }), undefined)).toMatchObject({
      facts: { annotations },
    });
  });
});

describe('a manifest beyond what may be', () => {
  it.each<[string, object, RegExp]>([
    [
      'of 10,001 layers',
      { ...image, layers: Array(10_001).fill(config) },
      /10000 layers, manifests or blobs at most/,
    ],
    ['of a million empty layers', { ...image, layers: Array(1_000_000).fill({}) }, /200000 structural/],
    [
      'of a digest of a megabyte',
      { ...image, config: { ...config, digest: `a:${'a'.repeat(1_000_000)}` } },
      /config\.digest/,
    ],
  ])('%s is refused', (_, manifest, fault) => {
    expect(readManifest(JSON.stringify(manifest), undefined)).toMatchObject({
      fault: expect.stringMatching(fault),
    });
  });
});
