// PutImage's rules, and reading back over /v2/ what was put.

import { createHash } from 'node:crypto';
import * as ecrModule from '@aws-sdk/client-ecr';
import * as ecrPublicModule from '@aws-sdk/client-ecr-public';
import { afterAll, describe, expect, it } from 'vitest';
import {
  accountId,
  type LayerClient,
  mebibyte,
  publicAlias,
  pushLayer,
  pushLayersOfImage,
  startStandIn,
} from '../support/ecr-stand-in.ts';
import {
  descriptor,
  dockerManifest,
  indexOf,
  ociIndex,
  ociLayer,
  ociManifest,
} from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';

const standIn = await startStandIn();
afterAll(() => standIn.remove());

const repositoryName = 'team/app';
const emptyConfig = Buffer.from('{}');
const absentLayer = descriptor('never pushed', ociLayer);

type Refusal = {
  name: string;
  /** Both registries, unless the row's repository exists in one only. */
  only?: 'private';
  act: (client: LayerClient) => Promise<unknown>;
  error: keyof typeof ecrModule & keyof typeof ecrPublicModule & `${string}Exception`;
  says: string;
};

const put = (client: LayerClient, imageManifest: string, more: object = {}) =>
  client.putImage({ repositoryName, imageManifest, ...more });

const withManifest = (name: string, change: (manifest: Record<string, unknown>) => object, says: string) => ({
  name,
  act: async (client: LayerClient) =>
    put(client, JSON.stringify(change(JSON.parse(await pushLayersOfImage(client, repositoryName))))),
  error: 'InvalidParameterException' as const,
  says,
});

const refusals: Refusal[] = [
  {
    name: 'a repository that does not exist is not found',
    act: (client) => put(client, '{}', { repositoryName: 'team/nowhere' }),
    error: 'RepositoryNotFoundException',
    says: 'team/nowhere',
  },
  {
    name: 'a manifest that is not JSON is refused',
    act: (client) => put(client, '{'),
    error: 'InvalidParameterException',
    says: "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
  },
  {
    name: 'an empty manifest is refused',
    act: (client) => put(client, ''),
    error: 'InvalidParameterException',
    says: 'greater than or equal to 1',
  },
  {
    name: 'a manifest of more than 4 MiB is refused',
    act: (client) => put(client, ' '.repeat(4 * mebibyte + 1)),
    error: 'InvalidParameterException',
    says: 'less than or equal to 4194304',
  },
  {
    name: 'a manifest with a lone surrogate, which has no UTF-8, is refused',
    act: (client) => put(client, '{"a":"\ud800"}'),
    error: 'InvalidParameterException',
    says: 'Unicode',
  },
  withManifest(
    'a manifest whose media type nobody says is refused',
    ({ mediaType: _, ...rest }) => rest,
    'Invalid JSON syntax',
  ),
  withManifest(
    'a manifest of an unknown kind is refused',
    (manifest) => ({ ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v1+json' }),
    'is not one of',
  ),
  withManifest(
    'a manifest of another schema version is refused',
    (all) => ({ ...all, schemaVersion: 1 }),
    'schema',
  ),
  withManifest(
    'an image without layers is refused',
    (manifest) => ({ ...manifest, layers: [] }),
    'Image has to have at least 1 layer',
  ),
  withManifest(
    'a manifest that is image and index at once is refused',
    (manifest) => ({ ...manifest, manifests: [] }),
    'manifests',
  ),
  withManifest(
    'a layer of another size than the manifest says is refused',
    ({ config, ...rest }) => ({ ...rest, config: Object.assign({}, config, { size: 301 }) }),
    'has 300 bytes, not 301',
  ),
  {
    name: 'a media type that contradicts the manifest is refused',
    act: async (client) =>
      put(client, await pushLayersOfImage(client, repositoryName), {
        imageManifestMediaType: dockerManifest,
      }),
    error: 'InvalidParameterException',
    says: 'imageManifestMediaType is',
  },
  ...['', '-v1', 'v 1', 'v1/2', 'v'.repeat(301)].map((imageTag) => ({
    name: `the tag ${JSON.stringify(imageTag.slice(0, 9))} of ${imageTag.length} characters is refused`,
    act: async (client: LayerClient) =>
      put(client, await pushLayersOfImage(client, repositoryName), { imageTag }),
    error: 'InvalidParameterException' as const,
    says: "Invalid parameter at 'imageTag'",
  })),
  {
    name: 'a digest that is not that of the manifest is refused',
    act: async (client) =>
      put(client, await pushLayersOfImage(client, repositoryName), { imageDigest: absentLayer.digest }),
    error: 'ImageDigestDoesNotMatchException',
    says: 'does not match the image digest that Amazon ECR has calculated',
  },
  {
    name: 'an image whose layers and config are absent is refused, naming them',
    act: async (client) => {
      const config = descriptor('absent as well', 'application/vnd.oci.image.config.v1+json');
      const layers = [absentLayer, absentLayer];
      await put(client, JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config, layers }));
    },
    error: 'LayersNotFoundException',
    says: `Layers with digests '[${digestOf('absent as well')}, ${absentLayer.digest}]' required for pushing image`,
  },
  {
    name: "another repository's layers do not count",
    act: async (client) => put(client, await pushLayersOfImage(client, 'team/other')),
    error: 'LayersNotFoundException',
    says: repositoryName,
  },
  {
    name: 'an index whose images are absent is refused, naming them',
    act: async (client) => {
      const manifest = await pushLayersOfImage(client, repositoryName);
      await put(client, manifest);
      await put(client, indexOf(manifest, 'absent'));
    },
    error: 'ReferencedImagesNotFoundException',
    says: `Images with digests '[${digestOf('absent')}]' required for pushing image`,
  },
  {
    name: 'an index of nothing is refused',
    act: (client) => put(client, indexOf()),
    error: 'InvalidParameterException',
    says: 'manifests',
  },
  {
    name: 'an image put again without a tag exists already',
    act: async (client) => {
      const manifest = await pushLayersOfImage(client, repositoryName);
      await put(client, manifest, { imageTag: 'tagged-first' });
      await put(client, manifest);
    },
    error: 'ImageAlreadyExistsException',
    says: 'already exists in the repository with name',
  },
  {
    name: 'an image put again under the same tag exists already',
    act: async (client) => {
      const manifest = await pushLayersOfImage(client, repositoryName);
      await put(client, manifest, { imageTag: 'same' });
      await put(client, manifest, { imageTag: 'same' });
    },
    error: 'ImageAlreadyExistsException',
    says: "tag 'same'",
  },
  {
    name: 'an immutable tag does not move',
    only: 'private',
    act: async (client) => {
      const frozen = { repositoryName: 'team/frozen', imageTag: 'v1' };
      await put(client, await pushLayersOfImage(client, 'team/frozen'), frozen);
      await put(client, await pushLayersOfImage(client, 'team/frozen'), frozen);
    },
    error: 'ImageTagAlreadyExistsException',
    says: 'cannot be overwritten because the repository is immutable',
  },
];

const sides = [
  { side: 'private', prefix: '', exceptions: ecrModule, client: standIn.ecr },
  { side: 'public', prefix: `${publicAlias}/`, exceptions: ecrPublicModule, client: standIn.ecrPublic },
];

describe.each(sides)('images of the $side registry', ({ side, prefix, exceptions, client }) => {
  it.each(refusals.filter(({ only = side }) => only === side))('$name', async ({ act, error, says }) => {
    const caught: unknown = await act(client).catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(exceptions[error]);
    expect(caught).toHaveProperty('message', expect.stringContaining(says));
    expect(caught).toHaveProperty('$metadata.httpStatusCode', 400);
  });

  const get = (path: string, method = 'GET') =>
    fetch(`${standIn.url}/v2/${prefix}${repositoryName}/${path}`, { method });

  it('an image is answered with its ids and comes back byte for byte, by tag and by digest', async () => {
    const imageManifest = `${await pushLayersOfImage(client, repositoryName)}\n \u00fc\u{1f433}`.replace(
      /\S+$/,
      '',
    );
    const imageDigest = digestOf(imageManifest);
    const { image } = await put(client, imageManifest, { imageTag: 'v1', imageDigest });
    expect(image).toEqual({
      registryId: accountId,
      repositoryName,
      imageId: { imageDigest, imageTag: 'v1' },
      imageManifest,
      imageManifestMediaType: ociManifest,
    });
    for (const reference of ['v1', imageDigest]) {
      const response = await get(`manifests/${reference}`);
      expect(response.headers.get('docker-content-digest')).toBe(imageDigest);
      expect(response.headers.get('content-type')).toBe(ociManifest);
      expect(await response.text()).toBe(imageManifest);
    }
  });

  it('the digest is that of the UTF-8 bytes, characters beyond ASCII included', async () => {
    const plain = JSON.parse(await pushLayersOfImage(client, repositoryName));
    const imageManifest = JSON.stringify({ ...plain, annotations: { title: 'gr\u00fc\u00df \u{1f433}' } });
    const { image } = await put(client, imageManifest);
    expect(image?.imageId).toEqual({ imageDigest: digestOf(imageManifest) });
    expect(await (await get(`manifests/${digestOf(imageManifest)}`)).text()).toBe(imageManifest);
  });

  it('blobs come back byte for byte, and HEAD tells the same without them', async () => {
    const bytes = randomBytes(10 * mebibyte + 3);
    const digest = await pushLayer(client, repositoryName, bytes);
    const [found, told] = await Promise.all([get(`blobs/${digest}`), get(`blobs/${digest}`, 'HEAD')]);
    expect(digestOf(Buffer.from(await found.arrayBuffer()))).toBe(digest);
    expect(told.status).toBe(200);
    expect((await told.arrayBuffer()).byteLength).toBe(0);
    for (const name of ['content-type', 'content-length', 'docker-content-digest']) {
      expect([name, told.headers.get(name)]).toEqual([name, found.headers.get(name)]);
    }
    expect(told.headers.get('content-length')).toBe(String(bytes.length));
  });

  it('HEAD of a manifest tells its digest, type and length', async () => {
    const imageManifest = await pushLayersOfImage(client, repositoryName);
    await put(client, imageManifest, { imageTag: 'head' });
    const { status, headers } = await get('manifests/head', 'HEAD');
    expect(status).toBe(200);
    expect(headers.get('docker-content-digest')).toBe(digestOf(imageManifest));
    expect(headers.get('content-length')).toBe(String(imageManifest.length));
    expect(headers.get('content-type')).toBe(ociManifest);
  });

  it('a mutable tag moves, and a second tag is put on the same image', async () => {
    const [first, second] = [
      await pushLayersOfImage(client, repositoryName),
      await pushLayersOfImage(client, repositoryName),
    ];
    await put(client, first, { imageTag: 'moving' });
    await put(client, second, { imageTag: 'moving' });
    await put(client, second, { imageTag: 'second' });
    for (const tag of ['moving', 'second']) {
      expect((await get(`manifests/${tag}`)).headers.get('docker-content-digest')).toBe(digestOf(second));
    }
    expect((await get(`manifests/${digestOf(first)}`)).status).toBe(200);
  });

  it('an index of images that are there is put, and Docker manifests are as good as OCI ones', async () => {
    const [oci, docker] = [
      await pushLayersOfImage(client, repositoryName),
      await pushLayersOfImage(client, repositoryName, dockerManifest),
    ];
    await put(client, oci);
    const { image } = await put(client, docker, { imageManifestMediaType: dockerManifest });
    expect(image?.imageManifestMediaType).toBe(dockerManifest);
    await put(client, indexOf(oci, docker), { imageTag: 'all' });
    const response = await get('manifests/all');
    expect(response.headers.get('content-type')).toBe(ociIndex);
    expect(await response.text()).toBe(indexOf(oci, docker));
  });

  it('an OCI artifact is put as a manifest, its type said by the request alone', async () => {
    await pushLayer(client, repositoryName, emptyConfig).catch(() => 'there already');
    const payload = randomBytes(50);
    await pushLayer(client, repositoryName, payload);
    const imageManifest = JSON.stringify({
      schemaVersion: 2,
      artifactType: 'application/vnd.example.sbom+json',
      config: descriptor(emptyConfig, 'application/vnd.oci.empty.v1+json'),
      layers: [descriptor(payload, 'application/vnd.example.sbom.v1+json')],
    });
    const { image } = await put(client, imageManifest, { imageManifestMediaType: ociManifest });
    expect(image?.imageManifestMediaType).toBe(ociManifest);
  });

  it('a foreign layer need not be there', async () => {
    const manifest = JSON.parse(await pushLayersOfImage(client, repositoryName, dockerManifest));
    const foreign = {
      ...absentLayer,
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      urls: ['https://example.com/layer'],
    };
    await put(client, JSON.stringify({ ...manifest, layers: [foreign, ...manifest.layers] }));
  });

  it('a layer has the media type that a manifest gave it', async () => {
    const imageManifest = await pushLayersOfImage(client, repositoryName);
    await put(client, imageManifest);
    const layerDigests = [JSON.parse(imageManifest).layers[0].digest];
    const { layers } = await client.batchCheckLayerAvailability({ repositoryName, layerDigests });
    expect(layers).toMatchObject([{ mediaType: ociLayer, layerSize: 3_000 }]);
  });

  it('tags are listed in order, in pages when asked', async () => {
    const imageManifest = await pushLayersOfImage(client, 'team/other');
    for (const imageTag of ['b', '__proto__', 'c', 'a']) {
      await put(client, imageManifest, { repositoryName: 'team/other', imageTag });
    }
    const name = `${prefix}team/other`;
    const list = async (query: string) => {
      const response = await fetch(`${standIn.url}/v2/${name}/tags/list${query}`);
      return [await response.json(), response.headers.get('link')];
    };
    expect(await list('')).toEqual([{ name, tags: ['__proto__', 'a', 'b', 'c'] }, null]);
    const next = `</v2/${name}/tags/list?n=2&last=a>; rel="next"`;
    expect(await list('?n=2')).toEqual([{ name, tags: ['__proto__', 'a'] }, next]);
    expect(await list('?n=2&last=a')).toEqual([{ name, tags: ['b', 'c'] }, null]);
  });
});

describe('the /v2/ API', () => {
  it('says that it is one', async () => {
    const response = await fetch(`${standIn.url}/v2/`);
    expect(response.status).toBe(200);
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  });

  it.each([
    { path: 'team/nowhere/manifests/latest', code: 'NAME_UNKNOWN', status: 404 },
    { path: 'team/app/manifests/nothing', code: 'MANIFEST_UNKNOWN', status: 404 },
    { path: `team/app/manifests/sha256:${'0'.repeat(64)}`, code: 'MANIFEST_UNKNOWN', status: 404 },
    { path: `team/app/blobs/sha256:${'0'.repeat(64)}`, code: 'BLOB_UNKNOWN', status: 404 },
    { path: 'team/app/blobs/..%2F..%2Fstate.json', code: 'UNSUPPORTED', status: 404 },
    { path: `team/app/referrers/sha256:${'0'.repeat(64)}`, code: 'UNSUPPORTED', status: 404 },
    { path: '_catalog', code: 'UNSUPPORTED', status: 404 },
    { path: 'team/app/tags/list?n=few', code: 'UNSUPPORTED', status: 400 },
  ])('GET $path is $status $code', async ({ path, code, status }) => {
    const response = await fetch(`${standIn.url}/v2/${path}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ errors: [{ code, message: expect.any(String) }] });
  });

  it.each([
    { method: 'POST', path: 'team/app/blobs/uploads/' },
    { method: 'PATCH', path: 'team/app/blobs/uploads/1' },
    { method: 'PUT', path: 'team/app/manifests/v1' },
    { method: 'DELETE', path: 'team/app/manifests/v1' },
  ])('$method is refused: pushes come through the layer API only', async ({ method, path }) => {
    const response = await fetch(`${standIn.url}/v2/${path}`, { method, body: 'x' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await response.json()).toMatchObject({
      errors: [{ code: 'UNSUPPORTED', message: expect.stringContaining('layer API') }],
    });
  });

  it('a blob that is read while the store changes stays whole', async () => {
    const bytes = randomBytes(6 * mebibyte);
    const digest = await pushLayer(standIn.ecr, repositoryName, bytes);
    const hash = createHash('sha256');
    const response = await fetch(`${standIn.url}/v2/${repositoryName}/blobs/${digest}`);
    await pushLayer(standIn.ecr, repositoryName, randomBytes(100));
    for await (const chunk of response.body ?? []) {
      hash.update(chunk);
    }
    expect(`sha256:${hash.digest('hex')}`).toBe(digest);
  });
});
