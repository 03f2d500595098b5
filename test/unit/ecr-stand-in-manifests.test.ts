// How the stand-in reads manifests: never anything but a manifest or a refusal.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EcrError } from '../../local/ecr/errors.ts';
import { parseManifest } from '../../local/ecr/manifests.ts';
import { ociIndex, ociManifest } from '../support/manifests.ts';

const descriptor = fc.record({
  mediaType: fc.constantFrom('application/vnd.oci.image.layer.v1.tar', 'application/octet-stream'),
  digest: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
  size: fc.nat(),
});
const withAlgorithm = descriptor.map((one) => ({ ...one, digest: `sha256:${one.digest}` }));

it('any JSON and any text is a manifest or an EcrError', () => {
  const mediaType = fc.constantFrom(undefined, ociManifest, ociIndex);
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
  fc.assert(
    fc.property(text, mediaType, (manifest, declared) => {
      expect(() => parseManifest(manifest, declared)).toThrow(EcrError);
    }),
  );
});

it('an image refers to its config and every layer, in order', () => {
  fc.assert(
    fc.property(withAlgorithm, fc.array(withAlgorithm, { minLength: 1 }), (config, layers) => {
      const text = JSON.stringify({ schemaVersion: 2, config, layers });
      const manifest = { mediaType: ociManifest, layers: [config, ...layers], images: [] };
      expect(parseManifest(text, ociManifest)).toEqual(manifest);
    }),
  );
});

it('an index refers to its images, and takes its type from itself', () => {
  fc.assert(
    fc.property(fc.array(withAlgorithm, { minLength: 1 }), (manifests) => {
      const text = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests });
      expect(parseManifest(text, undefined)).toEqual({ mediaType: ociIndex, layers: [], images: manifests });
    }),
  );
});

it.each(['sha512:00', 'sha256:AB', '0'.repeat(64)])('the digest %s is refused in a manifest', (digest) => {
  const bad = { mediaType: 'text/plain', digest, size: 1 };
  const text = JSON.stringify({ schemaVersion: 2, config: bad, layers: [bad] });
  expect(() => parseManifest(text, ociManifest)).toThrow('Invalid JSON syntax');
});
