// What each member of a manifest may be, what is said of one that may not, and where the bounds lie to the character.

import { describe, expect, it } from 'vitest';
import { maxManifestDescriptors, maxPolicyEscapes, maxPolicyTexts } from '../../api/limits.ts';
import { manifestMediaTypes, manifestOf, readManifest } from '../../api/manifest.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const oci = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociArtifact = 'application/vnd.oci.artifact.manifest.v1+json';

const descriptor = (mediaType: string, more: object = {}) => ({ mediaType, digest, size: 1, ...more });
const config = descriptor('application/vnd.oci.image.config.v1+json');
const image = (more: object = {}) => ({ schemaVersion: 2, mediaType: oci, config, layers: [], ...more });
const index = (more: object = {}) => ({ schemaVersion: 2, mediaType: ociIndex, manifests: [], ...more });
const artifact = (more: object = {}) => ({ mediaType: ociArtifact, artifactType: 'a/b', ...more });

/** As many descriptors of as many kinds. */
const kinds = (count: number) => Array.from({ length: count }, (_, at) => descriptor(`a/${at}`));

function factsOf(manifest: object, declared?: string) {
  const read = readManifest(JSON.stringify(manifest), declared);
  if ('fault' in read) {
    throw new Error(read.fault);
  }
  return read.facts;
}

function faultOf(manifest: object, declared?: string): string {
  const read = readManifest(JSON.stringify(manifest), declared);
  return 'fault' in read ? read.fault : 'none';
}

const at = (...places: string[]) => `what its media type demands at ${places.join(', ')}`;

describe('a digest in a manifest', () => {
  const faultOfDigest = (text: unknown) => faultOf(image({ config: { ...config, digest: text } }));

  it.each([digest, 'sha512:0A', 'a:b', 'a+b.c_d-e:Aa0=_-', '0:0', 'ab+cd+ef:x', `a:${'b'.repeat(998)}`])(
    'may be %s',
    (text) => {
      expect(faultOfDigest(text)).toBe('none');
    },
  );

  it.each([
    '',
    ':',
    'a',
    'a:',
    ':a',
    'A:b',
    '+a:b',
    'a+:b',
    'a++b:c',
    'a+B:c',
    'a::b',
    'a:b:c',
    'a:b/c',
    'a:b c',
    ' a:b',
    'a:b ',
    'a:b\n',
    'é:b',
    `a:${'b'.repeat(999)}`,
    7,
    null,
  ])('may not be %j', (text) => {
    expect(faultOfDigest(text)).toBe(at('config.digest'));
  });
});

describe('a member of a manifest', () => {
  it.each<[string, object, string[]]>([
    ['a config that is a text', image({ config: 'x' }), ['config']],
    ['a config that is a list', image({ config: [config] }), ['config']],
    ['no config', image({ config: undefined }), ['config']],
    ['a media type of no letters', image({ config: descriptor('') }), ['config.mediaType']],
    ['a media type of 256 letters', image({ layers: [descriptor('a'.repeat(256))] }), ['layers.0.mediaType']],
    ['an artifact type of 256 letters', image({ artifactType: 'a'.repeat(256) }), ['artifactType']],
    ['a size that is a text', image({ config: { ...config, size: '1' } }), ['config.size']],
    ['a schema version of 1', image({ schemaVersion: 1 }), ['schemaVersion']],
    ['a subject that is a text', image({ subject: 'x' }), ['subject']],
    ['annotations that are a list', image({ annotations: ['a'] }), ['annotations']],
    ['annotations that are a text', image({ annotations: 'ab' }), ['annotations']],
    ['an annotation that is a number among texts', image({ annotations: { a: 'b', c: 1 } }), ['annotations']],
    ['layers that are an object', image({ layers: {} }), ['layers']],
    ['a layer that is none', image({ layers: [config, null] }), ['layers.1']],
    ['an image’s manifests', image({ manifests: [] }), ['manifests']],
    ['an index’s config', index({ config }), ['config']],
    ['an index’s layers', index({ layers: [] }), ['layers']],
    ['an artifact’s layers', artifact({ layers: [] }), ['layers']],
    ['an artifact’s manifests', artifact({ manifests: [] }), ['manifests']],
    [
      'an operating system that is a number',
      index({ manifests: [descriptor(oci, { platform: { os: 1 } })] }),
      ['manifests.0.platform.os'],
    ],
  ])('may not be %s', (_, manifest, places) => {
    expect(faultOf(manifest)).toBe(at(...places));
  });

  it.each<[string, object]>([
    ['a media type of 255 letters', image({ layers: [descriptor('a'.repeat(255))] })],
    ['an artifact type of 255 letters', image({ artifactType: 'a'.repeat(255) })],
    ['an image’s blobs, which nobody reads', image({ blobs: 1 })],
    ['an index’s blobs', index({ blobs: 1 })],
    ['an artifact’s config', artifact({ config: 1 })],
    ['a subject of any members', image({ subject: { mediaType: 1, digest: 'x', more: 2 } })],
  ])('may be %s', (_, manifest) => {
    expect(faultOf(manifest)).toBe('none');
  });

  it('is named with all that is wrong in it, in the first of a list', () => {
    expect(faultOf(image({ layers: [config, { size: -1 }, {}] }))).toBe(
      at('layers.1.mediaType', 'layers.1.digest', 'layers.1.size'),
    );
  });

  it('is named beside four others at most', () => {
    const wrong = { schemaVersion: 1, artifactType: 1, subject: 1, annotations: 1, config: 1, layers: 1 };
    expect(faultOf(image(wrong))).toBe(
      at('schemaVersion', 'artifactType', 'subject', 'annotations', 'config'),
    );
  });

  it('is named as it has to be written, where only its case is another', () => {
    expect(faultOf(image({ Layers: [] }))).toBe(
      'names written as in schemaVersion, mediaType, artifactType, subject, annotations, config, layers, manifests, blobs, and none in another case',
    );
  });
});

describe('the artifact type', () => {
  it.each([index, artifact])('of what has no config is its own, and an empty one is none', (manifest) => {
    expect(factsOf(manifest({ artifactType: 'text/x' })).artifactType).toBe('text/x');
    expect(factsOf(manifest({ artifactType: '' })).artifactType).toBeUndefined();
    expect(factsOf(manifest({ artifactType: null })).artifactType).toBeUndefined();
  });
});

describe('the media type', () => {
  const expected = 'a mediaType, or the request an imageManifestMediaType';

  it.each([undefined, null, ''])('is the request’s where the manifest has %j', (mediaType) => {
    expect(factsOf(image({ mediaType }), oci).mediaType).toBe(oci);
    expect(faultOf(image({ mediaType }))).toBe(expected);
  });

  it('is a text, one of those that are known, and the same as the request’s', () => {
    expect(faultOf(image({ mediaType: 7 }), oci)).toBe(expected);
    expect(faultOf(image(), ociIndex)).toBe('the mediaType that imageManifestMediaType says');
    expect(faultOf(image({ mediaType: 'a/b' }))).toBe(
      `a mediaType that is one of ${manifestMediaTypes.join(', ')}`,
    );
    expect(manifestMediaTypes).toHaveLength(5);
  });
});

describe('the texts that a policy reads', () => {
  const tooMany = `${maxPolicyTexts} media types and annotations at most, an annotation counting twice`;
  const annotations = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [n, '']));

  it.each<[string, (count: number) => object, number]>([
    ['an image’s layers, beside the two of its config', (count) => image({ layers: kinds(count) }), 2],
    ['an index’s manifests', (count) => index({ manifests: kinds(count) }), 2],
    ['an artifact’s blobs', (count) => artifact({ blobs: kinds(count) }), 2],
    ['annotations, each twice', (count) => image({ annotations: annotations(Math.ceil(count / 2)) }), 2],
  ])('are so many at most: of %s', (_, manifest, others) => {
    expect(faultOf(manifest(maxPolicyTexts - others))).toBe('none');
    expect(faultOf(manifest(maxPolicyTexts - others + 1))).toBe(tooMany);
  });

  const tooDear = `annotations of ${maxPolicyEscapes} quotes, backslashes and characters beyond ASCII at most`;

  const escaped = ['"', '\\', '\0', '\n', '\u001f', '\u007f', 'é', '\uffff'];
  const plain = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at))
    .filter((one) => !escaped.includes(one))
    .join('');

  it('have so many characters at most that Cedar escapes, and any number of the others of ASCII', () => {
    const half = escaped.join('').repeat(maxPolicyEscapes / 2 / escaped.length);
    const faultOfTexts = (name: string, text: string) => faultOf(image({ annotations: { [name]: text } }));
    expect(faultOfTexts(`${half}${plain}`, `${half}${plain}`)).toBe('none');
    expect(faultOfTexts(`${half}"`, half)).toBe(tooDear);
    expect(faultOfTexts(half, `${half}"`)).toBe(tooDear);
  });
});

it('a list of a manifest has so many elements at most, which is said before any of them is read', () => {
  const layers = (count: number) => ({ layers: Array.from({ length: count }, () => 1) });
  expect(faultOf(image(layers(maxManifestDescriptors)))).toBe(at('layers.0'));
  expect(faultOf(image(layers(maxManifestDescriptors + 1)))).toBe(
    `lists of ${maxManifestDescriptors} layers, manifests or blobs at most`,
  );
});

describe('the manifest of a request', () => {
  const imageManifest = JSON.stringify(image({ mediaType: undefined }));

  it('is read once, and for that request alone', () => {
    const members = { imageManifest, imageManifestMediaType: oci };
    expect(manifestOf(members)).toMatchObject({ facts: { mediaType: oci } });
    expect(manifestOf(members)).toBe(manifestOf(members));
    expect(manifestOf({ ...members })).not.toBe(manifestOf(members));
    expect(manifestOf({ imageManifest })).toMatchObject({ fault: expect.stringContaining('a mediaType') });
  });
});
