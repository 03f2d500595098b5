import { describe, expect, it } from 'vitest';
import { readManifest } from '../../api/manifest.ts';
import { digestOf } from '../support/random-bytes.ts';

const digest = digestOf('x');
const oci = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociArtifact = 'application/vnd.oci.artifact.manifest.v1+json';
const docker = 'application/vnd.docker.distribution.manifest.v2+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';

const descriptor = (mediaType: string, size: number, more: object = {}) => ({
  mediaType,
  digest,
  size,
  ...more,
});
const config = descriptor('application/vnd.oci.image.config.v1+json', 100);
const image = {
  schemaVersion: 2,
  mediaType: oci,
  config,
  layers: [descriptor(layerType, 1_000), descriptor(layerType, 2_000)],
};
const platform = (os: string, architecture: string) => ({ platform: { os, architecture } });
const index = {
  schemaVersion: 2,
  mediaType: ociIndex,
  manifests: [
    descriptor(oci, 500, platform('linux', 'amd64')),
    descriptor(oci, 501, platform('linux', 'arm64')),
    descriptor(oci, 502, platform('unknown', 'unknown')),
    descriptor(oci, 503),
  ],
};

const none = {
  artifactType: undefined,
  configMediaType: undefined,
  layerCount: 0,
  layerMediaTypes: [],
  manifestCount: 0,
  manifestMediaTypes: [],
  platformCount: 0,
  annotations: {},
};

describe('a manifest', () => {
  it.each<[string, object, string | undefined, object]>([
    [
      'of an OCI image',
      { ...image, annotations: { 'org.opencontainers.image.source': 'https://example.com' } },
      undefined,
      {
        ...none,
        mediaType: oci,
        configMediaType: config.mediaType,
        layerCount: 2,
        layerMediaTypes: [layerType],
        totalBytes: 3_100,
        annotations: { 'org.opencontainers.image.source': 'https://example.com' },
      },
    ],
    [
      'of a Docker image',
      {
        ...image,
        mediaType: docker,
        config: descriptor('application/vnd.docker.container.image.v1+json', 7),
      },
      docker,
      {
        ...none,
        mediaType: docker,
        configMediaType: 'application/vnd.docker.container.image.v1+json',
        layerCount: 2,
        layerMediaTypes: [layerType],
        totalBytes: 3_007,
      },
    ],
    [
      'without a media type of its own',
      { ...image, mediaType: undefined },
      oci,
      {
        ...none,
        mediaType: oci,
        configMediaType: config.mediaType,
        layerCount: 2,
        layerMediaTypes: [layerType],
        totalBytes: 3_100,
      },
    ],
    [
      'of an OCI index',
      index,
      undefined,
      {
        ...none,
        mediaType: ociIndex,
        totalBytes: 2_006,
        manifestCount: 4,
        manifestMediaTypes: [oci],
        platformCount: 2,
      },
    ],
    [
      'of a Docker list',
      { ...index, mediaType: dockerList },
      undefined,
      {
        ...none,
        mediaType: dockerList,
        totalBytes: 2_006,
        manifestCount: 4,
        manifestMediaTypes: [oci],
        platformCount: 2,
      },
    ],
    [
      'of an artifact that names its type',
      {
        ...image,
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        config: descriptor('application/vnd.oci.empty.v1+json', 2),
        layers: [descriptor('application/vnd.dev.sigstore.bundle.v0.3+json', 9)],
        subject: descriptor(oci, 500),
      },
      undefined,
      {
        ...none,
        mediaType: oci,
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        configMediaType: 'application/vnd.oci.empty.v1+json',
        layerCount: 1,
        layerMediaTypes: ['application/vnd.dev.sigstore.bundle.v0.3+json'],
        totalBytes: 11,
      },
    ],
    [
      'of an artifact whose config says its type',
      { ...image, config: descriptor('application/vnd.cncf.helm.config.v1+json', 5), layers: [] },
      undefined,
      {
        ...none,
        mediaType: oci,
        artifactType: 'application/vnd.cncf.helm.config.v1+json',
        configMediaType: 'application/vnd.cncf.helm.config.v1+json',
        totalBytes: 5,
      },
    ],
    [
      'of an image that calls itself an artifact',
      { ...image, artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' },
      undefined,
      {
        ...none,
        mediaType: oci,
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        configMediaType: config.mediaType,
        layerCount: 2,
        layerMediaTypes: [layerType],
        totalBytes: 3_100,
      },
    ],
    [
      'of an index of indexes',
      { ...index, manifests: [descriptor(ociIndex, 1), descriptor(dockerList, 2), descriptor(ociIndex, 3)] },
      undefined,
      {
        ...none,
        mediaType: ociIndex,
        totalBytes: 6,
        manifestCount: 3,
        manifestMediaTypes: [ociIndex, dockerList],
      },
    ],
    [
      'of the artifact manifest that OCI has withdrawn',
      { mediaType: ociArtifact, artifactType: 'text/x', blobs: [descriptor('text/plain', 3)] },
      undefined,
      {
        ...none,
        mediaType: ociArtifact,
        artifactType: 'text/x',
        layerCount: 1,
        layerMediaTypes: ['text/plain'],
        totalBytes: 3,
      },
    ],
    [
      'that states more bytes than a number holds',
      { ...image, layers: [1, 2, 3].map(() => descriptor(layerType, Number.MAX_SAFE_INTEGER)) },
      undefined,
      {
        ...none,
        mediaType: oci,
        configMediaType: config.mediaType,
        layerCount: 3,
        layerMediaTypes: [layerType],
        totalBytes: Number.MAX_SAFE_INTEGER,
      },
    ],
  ])('%s tells its facts', (_, manifest, declared, facts) => {
    const text = JSON.stringify(manifest);
    expect(readManifest(text, declared)).toEqual({ digest: digestOf(text), facts });
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ['that is no JSON', 'FROM scratch', undefined, /JSON object/],
    ['that is a list', '[]', undefined, /JSON object/],
    ['of nothing', '{}', undefined, /a mediaType/],
    ['of nothing with a media type', '{}', oci, /at config$/],
    ['whose media type is not the request’s', JSON.stringify(image), docker, /imageManifestMediaType/],
    ['whose media type is a number', JSON.stringify({ ...image, mediaType: 2 }), undefined, /a mediaType/],
    ['of Docker’s schema 1', '{"schemaVersion":1,"name":"a","fsLayers":[]}', undefined, /a mediaType/],
    [
      'of a media type nobody knows',
      JSON.stringify({ ...image, mediaType: 'text/html' }),
      undefined,
      /one of application/,
    ],
    [
      'of a media type that every object has',
      JSON.stringify(image).replace(oci, 'constructor'),
      undefined,
      /one of/,
    ],
    ['with layers and manifests', JSON.stringify({ ...image, manifests: [] }), undefined, /manifests/],
    ['with layers twice', JSON.stringify(image).replace('{', '{"layers":[],'), undefined, /no name twice/],
    [
      'with layers twice, once in escapes',
      JSON.stringify(image).replace('{', '{"l\\u0061yers":[],'),
      undefined,
      /no name twice/,
    ],
    [
      'with a negative size',
      JSON.stringify({ ...image, config: descriptor('a', -1) }),
      undefined,
      /config\.size/,
    ],
    [
      'with half a byte',
      JSON.stringify({ ...image, config: descriptor('a', 0.5) }),
      undefined,
      /config\.size/,
    ],
    [
      'with a digest of no form',
      JSON.stringify({ ...image, config: { ...config, digest: 'x' } }),
      undefined,
      /config\.digest/,
    ],
    [
      'with an annotation that is no text',
      JSON.stringify({ ...image, annotations: { a: 1 } }),
      undefined,
      /at annotations$/,
    ],
    ['nested deeper than any', `{"a":${'['.repeat(99)}${']'.repeat(99)}}`, oci, /nested no deeper/],
    ['with half a character', JSON.stringify(image).replace('{', '{"\ud800":1,'), undefined, /Unicode/],
  ])('%s is none', (_, text, declared, fault) => {
    expect(readManifest(text, declared)).toEqual({
      digest: digestOf(text),
      fault: expect.stringMatching(fault),
    });
  });
});

describe('text that is not well-formed', () => {
  const escaped = '\\ud800';
  it.each<[string, string]>([
    ['an annotation', `"annotations":{"a":"${escaped}"}`],
    ['the name of an annotation', `"annotations":{"${escaped}":"a"}`],
    ['the artifactType', `"artifactType":"${escaped}"`],
    ['a member that nobody reads', `"custom":[{"a":["${escaped}"]}]`],
    ['an annotation, not escaped', '"annotations":{"a":"\udc00"}'],
  ])('is refused in %s of a manifest', (_, member) => {
    const text = JSON.stringify(image).replace('{', `{${member},`);
    expect(readManifest(text, undefined)).toMatchObject({ fault: expect.stringMatching(/well-formed/) });
  });
});

describe('a name in another case', () => {
  const manifests = [descriptor(oci, 1, { platform: { os: 'linux', architecture: 'arm64' } })];
  it.each<[string, object]>([
    ['Layers', { ...image, Layers: [] }],
    ['layer\u017f', { ...image, 'layer\u017f': [] }],
    ['LAYERS alone', { ...image, layers: undefined, LAYERS: image.layers }],
    ['MediaType', { ...image, MediaType: ociIndex }],
    ['ArtifactType', { ...image, ArtifactType: 'a' }],
    ['annotation\u017f', { ...image, 'annotation\u017f': {} }],
    ['\u017fubject', { ...image, '\u017fubject': {} }],
    ['Manifests', { ...image, Manifests: [] }],
    ['blob\u017f', { ...image, 'blob\u017f': [] }],
    ['Size of the config', { ...image, config: { ...config, Size: 1 } }],
    ['Digest of a layer', { ...image, layers: [{ ...config, Digest: 1 }] }],
    ['\u017fize of the subject', { ...image, subject: { ...config, '\u017fize': 1 } }],
    ['Platform of a manifest', { ...index, manifests: [{ ...manifests[0], Platform: null }] }],
    ['OS of a platform', { ...index, manifests: [{ ...manifests[0], platform: { OS: 'linux' } }] }],
    [
      'mediaType of a blob',
      { mediaType: ociArtifact, artifactType: 'a', blobs: [{ ...config, MEDIATYPE: 'b' }] },
    ],
  ])('is refused: %s', (_, manifest) => {
    expect(readManifest(JSON.stringify(manifest), undefined)).toMatchObject({
      fault: expect.stringMatching(/another case/),
    });
  });

  it('is an annotation’s own to have, and that of a member that nobody reads', () => {
    const free = { ...image, annotations: { Layers: '1', layers: '2' }, fslayers: 1, Custom: 1 };
    expect(readManifest(JSON.stringify(free), undefined)).toMatchObject({
      facts: { annotations: { Layers: '1', layers: '2' } },
    });
  });
});

describe('a manifest as registries take it', () => {
  const read = (manifest: object, declared?: string) => readManifest(JSON.stringify(manifest), declared);
  const withPlatform = (platform: unknown) => ({ ...index, manifests: [descriptor(oci, 1, { platform })] });

  it.each<[string, object, object]>([
    ['annotations', { annotations: null }, { annotations: {} }],
    ['an annotation', { annotations: { a: null } }, { annotations: { a: '' } }],
    ['the subject', { subject: null }, {}],
    ['the artifactType', { artifactType: null }, { artifactType: undefined }],
    ['manifests', { manifests: null }, {}],
    ['layers', { layers: null }, { layerCount: 0, totalBytes: 100 }],
    ['the schemaVersion', { schemaVersion: null }, {}],
    [
      'what a descriptor need not have',
      { config: { ...config, annotations: null, data: null, urls: null, platform: null } },
      {},
    ],
  ])('may have null for %s', (_, members, facts) => {
    expect(read({ ...image, ...members })).toMatchObject({ facts });
  });

  it.each<[unknown, number]>([
    [null, 0],
    [{}, 0],
    [{ os: 'linux' }, 1],
    [{ architecture: 'arm64' }, 1],
    [{ os: null, architecture: 'arm64', 'os.features': ['a'] }, 1],
    [{ os: 'unknown', architecture: 'unknown' }, 0],
  ])('may list a manifest of the platform %j', (platform, platformCount) => {
    expect(read(withPlatform(platform))).toMatchObject({ facts: { platformCount } });
  });

  it.each<[string, string]>([
    ['1.0', '1.0'],
    ['with an exponent', '1e2'],
  ])('may have a size %s', (_, size) => {
    const text = JSON.stringify(image).replace('"size":100', `"size":${size}`);
    expect(readManifest(text, undefined)).toMatchObject({ facts: { layerCount: 2 } });
  });

  it('may leave the schemaVersion to its media type, and an empty text means nothing', () => {
    expect(read({ ...image, schemaVersion: undefined, mediaType: '' }, oci)).toMatchObject({
      facts: { mediaType: oci },
    });
    expect(read({ ...image, artifactType: '', config: descriptor('text/x', 1) })).toMatchObject({
      facts: { artifactType: 'text/x' },
    });
  });

  it('may have an annotation of any name, which the policy sees', () => {
    const text = JSON.stringify(image).replace('{', '{"annotations":{"__proto__":"a","constructor":"b"},');
    const manifest = readManifest(text, undefined);
    expect('facts' in manifest && Object.entries(manifest.facts.annotations)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });
});
