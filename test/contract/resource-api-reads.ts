// What holds of the reads at the resource API, of a registry whose API has them.

import { describe, expect, it } from 'vitest';
import { manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import type { Answer, ResourceApi } from '../support/resource-api.ts';

const repository = { registryId: '123456789012', repositoryName: 'team-a/app' };
const absent = digestOf('absent');

const refused = (status: number, code: string, members: object = {}) => ({
  status,
  body: { status, code, ...members },
});

/**
 * @param client of a client that may push and read
 * @param pushOnly of one that may push alone, and `other` of one that may read elsewhere
 */
export function describeReads(
  client: () => ResourceApi,
  {
    pushOnly,
    other,
    ecrUrl,
  }: { pushOnly: () => ResourceApi; other: () => ResourceApi; ecrUrl: () => string },
): void {
  const pushLayer = async (layer: Buffer) => {
    const uploadId = await client().begin();
    await client().uploadNth(uploadId, layer, 0);
    await client().complete(uploadId, digestOf(layer));
    return digestOf(layer);
  };

  const pushImage = async (imageTag?: string, more: object = {}) => {
    const layer = randomBytes(200);
    await pushLayer(layer);
    const imageManifest = manifestOf(layer, [layer], more);
    const put = await client().putImage({ imageManifest, imageManifestMediaType: ociManifest, imageTag });
    expect(put.status).toBe(201);
    return { imageManifest, imageDigest: digestOf(imageManifest), layer };
  };

  const batchGet = (members: object, api = client()) =>
    api.json('POST', '/images/batch-get', { repositoryName: 'team-a/app', ...members });

  const list = (query: object = {}, api = client()) =>
    api.get('/images', { repositoryName: 'team-a/app', ...query });

  const referrers = (imageDigest: string, query: object = {}, api = client()) =>
    api.get('/image-referrers', {
      repositoryName: 'team-a/app',
      'subjectId.imageDigest': imageDigest,
      ...query,
    });

  const downloadUrl = (layerDigest: string, api = client()) =>
    api.get(`/layers/${encodeURIComponent(layerDigest)}/download-url`, { repositoryName: 'team-a/app' });

  const everyPage = async (ask: (nextToken: object) => Promise<Answer>, member: string) => {
    const pages: unknown[][] = [];
    let nextToken: object = {};
    do {
      const { status, body } = await ask(nextToken);
      expect(status).toBe(200);
      const items = body[member];
      pages.push(Array.isArray(items) ? items : []);
      nextToken = body.nextToken === undefined ? {} : { nextToken: body.nextToken };
    } while ('nextToken' in nextToken);
    return pages;
  };

  describe('BatchGetImage', () => {
    it('gives the manifests of images by tag, by digest and by both, byte for byte', async () => {
      const { imageManifest, imageDigest } = await pushImage('read-1');
      const imageIds = [{ imageTag: 'read-1' }, { imageDigest }, { imageTag: 'read-1', imageDigest }];
      const { status, body } = await batchGet({ imageIds });
      expect(status).toBe(200);
      const image = { ...repository, imageManifest, imageManifestMediaType: ociManifest };
      expect(body).toEqual({
        images: imageIds.map((imageId) => ({ ...image, imageId: { ...imageId, imageDigest } })),
        failures: [],
      });
    });

    it('names what it cannot return in failures, next to what it can', async () => {
      const { imageDigest } = await pushImage('read-2');
      await pushImage('read-3');
      const failing = [
        [{ imageTag: 'none' }, 'ImageNotFound'],
        [{ imageDigest: absent }, 'ImageNotFound'],
        [{ imageDigest, imageTag: 'read-3' }, 'ImageTagDoesNotMatchDigest'],
        [{ imageDigest: 'sha256' }, 'InvalidImageDigest'],
        [{ imageTag: '-' }, 'InvalidImageTag'],
        [{}, 'MissingDigestAndTag'],
      ] as const;
      const { status, body } = await batchGet({
        imageIds: [...failing.map(([imageId]) => imageId), { imageTag: 'read-2' }],
      });
      expect(status).toBe(200);
      expect(body.images).toEqual([
        expect.objectContaining({ imageId: { imageTag: 'read-2', imageDigest } }),
      ]);
      expect(body.failures).toEqual(
        failing.map(([imageId, failureCode]) => ({
          imageId,
          failureCode,
          failureReason: expect.any(String),
        })),
      );
    });

    it('says which media types the client accepts, so that ECR converts what is read by a tag', async () => {
      const { imageDigest } = await pushImage('read-4');
      const docker = 'application/vnd.docker.distribution.manifest.v2+json';
      const { body } = await batchGet({
        imageIds: [{ imageTag: 'read-4' }, { imageDigest }],
        acceptedMediaTypes: [docker],
      });
      expect(body.images).toMatchObject([
        { imageId: { imageDigest }, imageManifestMediaType: docker },
        { imageId: { imageDigest }, imageManifestMediaType: ociManifest },
      ]);
    });

    it.each<[string, object, string]>([
      ['no images', { imageIds: [] }, 'imageIds'],
      ['101 images', { imageIds: Array.from({ length: 101 }, () => ({ imageTag: 'x' })) }, 'imageIds'],
      ['an image that is a text', { imageIds: ['x'] }, 'imageIds.0'],
      ['an empty tag', { imageIds: [{ imageTag: '' }] }, 'imageIds.0.imageTag'],
      ['a member that no image has', { imageIds: [{ tag: 'x' }] }, 'imageIds.0.tag'],
      ['no media types', { imageIds: [{ imageTag: 'x' }], acceptedMediaTypes: [] }, 'acceptedMediaTypes'],
    ])('refuses %s, and says where', async (_, members, member) => {
      expect(await batchGet(members)).toMatchObject(
        refused(400, 'InvalidParameterException', { invalidMembers: [{ member }] }),
      );
    });

    it('ignores a member that is null, in an image as well', async () => {
      const { imageDigest } = await pushImage('read-5');
      const { body } = await batchGet({ imageIds: [{ imageTag: 'read-5', imageDigest: null }] });
      expect(body.images).toMatchObject([{ imageId: { imageDigest } }]);
    });
  });

  describe('ListImages', () => {
    it('lists each tag and each image without one, page by page', async () => {
      const tagged = await pushImage('listed-1');
      const untagged = await pushImage();
      const pages = await everyPage((nextToken) => list({ maxResults: 2, ...nextToken }), 'imageIds');
      expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
      const all = pages.flat();
      expect(all).toContainEqual({ imageDigest: tagged.imageDigest, imageTag: 'listed-1' });
      expect(all).toContainEqual({ imageDigest: untagged.imageDigest });
      expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(all.length);
    });

    it('lists those with a tag, or those without, as its filter says', async () => {
      const { body } = await list({ 'filter.tagStatus': 'TAGGED', maxResults: 1_000 });
      expect(JSON.stringify(body)).toContain('listed-1');
      const { body: without } = await list({ 'filter.tagStatus': 'UNTAGGED', maxResults: 1_000 });
      expect(JSON.stringify(without)).not.toContain('imageTag');
    });

    it.each<[string, Record<string, unknown>, string]>([
      ['a page of nothing', { maxResults: 0 }, 'maxResults'],
      ['a page of 1,001', { maxResults: 1_001 }, 'maxResults'],
      ['a filter of another value', { 'filter.tagStatus': 'MOVED' }, 'filter.tagStatus'],
      ['a filter that there is not', { 'filter.tag': 'x' }, 'filter.tag'],
      ['a filter that is a text', { filter: 'TAGGED' }, 'filter'],
      ['a filter that says two things', { 'filter.tagStatus': ['TAGGED', 'ANY'] }, 'filter.tagStatus'],
    ])('refuses %s, and says where', async (_, query, member) => {
      expect(await list(query)).toMatchObject(
        refused(400, 'InvalidParameterException', { invalidMembers: [{ member }] }),
      );
    });

    it('hands ECR’s refusal of a token on', async () => {
      expect(await list({ nextToken: 'another’s' })).toMatchObject(refused(400, 'InvalidParameterException'));
    });
  });

  describe('ListImageReferrers', () => {
    it('lists what refers to an image, page by page and by its artifact type', async () => {
      const { imageManifest, imageDigest } = await pushImage('signed-1');
      const subject = { mediaType: ociManifest, digest: imageDigest, size: Buffer.byteLength(imageManifest) };
      const annotations = { by: 'a test' };
      const signature = await pushImage(undefined, { subject, artifactType: 'test/signature', annotations });
      const list = await pushImage(undefined, { subject, artifactType: 'test/sbom' });
      const ofType = (artifactType: string, { imageManifest: text, imageDigest: digest }: typeof list) => ({
        digest,
        mediaType: ociManifest,
        artifactType,
        size: Buffer.byteLength(text),
        artifactStatus: 'ACTIVE',
      });
      const pages = await everyPage(
        (nextToken) => referrers(imageDigest, { maxResults: 1, ...nextToken }),
        'referrers',
      );
      expect(pages.map((page) => page.length)).toEqual([1, 1]);
      expect(pages.flat()).toContainEqual({ ...ofType('test/signature', signature), annotations });
      expect(pages.flat()).toContainEqual(ofType('test/sbom', list));
      const { body } = await referrers(imageDigest, {
        'filter.artifactTypes': ['test/sbom', 'test/other'],
        'filter.artifactStatus': 'ANY',
      });
      expect(body.referrers).toEqual([ofType('test/sbom', list)]);
    });

    it('has none of an image that nothing refers to, there or not', async () => {
      expect(await referrers(absent)).toMatchObject({ status: 200, body: { referrers: [] } });
    });

    it('needs to know of which image', async () => {
      const answer = await client().get('/image-referrers', { repositoryName: 'team-a/app' });
      expect(answer).toMatchObject(
        refused(400, 'InvalidParameterException', { invalidMembers: [{ member: 'subjectId' }] }),
      );
    });
  });

  describe('GetDownloadUrlForLayer', () => {
    it('gives an address at which everybody can read the layer, and resume reading', async () => {
      const { layer } = await pushImage();
      const { status, body } = await downloadUrl(digestOf(layer));
      expect([status, body.layerDigest]).toEqual([200, digestOf(layer)]);
      const url = String(body.downloadUrl);
      expect(url.startsWith(ecrUrl())).toBe(true);
      const whole = await fetch(url);
      expect(Buffer.compare(Buffer.from(await whole.arrayBuffer()), layer)).toBe(0);
      const rest = await fetch(url, { headers: { range: 'bytes=150-' } });
      expect(rest.status).toBe(206);
      expect(Buffer.compare(Buffer.from(await rest.arrayBuffer()), layer.subarray(150))).toBe(0);
      const forged = new URL(url);
      forged.searchParams.set('layerDigest', absent);
      expect((await fetch(forged)).status).toBe(403);
    });

    it('is refused for a layer that is not there, and for one that no image names', async () => {
      expect(await downloadUrl(absent)).toMatchObject(refused(422, 'LayersNotFoundException'));
      const layerDigest = await pushLayer(randomBytes(100));
      expect(await downloadUrl(layerDigest)).toMatchObject(refused(422, 'LayerInaccessibleException'));
      expect(await downloadUrl('x')).toMatchObject(
        refused(400, 'InvalidParameterException', { invalidMembers: [{ member: 'layerDigest' }] }),
      );
    });
  });

  const reads: [string, (api: ResourceApi) => Promise<Answer>][] = [
    ['BatchGetImage', (api) => batchGet({ imageIds: [{ imageTag: 'read-1' }] }, api)],
    ['ListImages', (api) => list({}, api)],
    ['ListImageReferrers', (api) => referrers(absent, {}, api)],
    ['GetDownloadUrlForLayer', (api) => downloadUrl(absent, api)],
  ];

  it.each(reads)(
    '%s is refused to a client that may push alone, whether it is there or not',
    async (name, ask) => {
      const answer = await ask(pushOnly());
      expect(answer).toMatchObject(refused(403, 'AccessDeniedException', { policies: [] }));
      expect(answer.body.detail).toBe(`No policy lets this client do ${name} in team-a/app.`);
    },
  );

  it.each(reads)('%s is refused to a client that may read elsewhere', async (_, ask) => {
    expect(await ask(other())).toMatchObject(refused(403, 'AccessDeniedException'));
  });

  it('a client that may push alone pushes all the same', async () => {
    const layer = randomBytes(50);
    const uploadId = await pushOnly().begin();
    await pushOnly().uploadNth(uploadId, layer, 0);
    expect((await pushOnly().complete(uploadId, digestOf(layer))).status).toBe(201);
    expect((await pushOnly().available(digestOf(layer))).status).toBe(200);
    const imageManifest = manifestOf(layer, [layer]);
    expect((await pushOnly().putImage({ imageManifest })).status).toBe(201);
  });
}
