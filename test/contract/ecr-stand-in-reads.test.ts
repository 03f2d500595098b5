// The stand-in's reads, driven by the AWS SDK: what BatchGetImage converts, how lists come in pages, and presigned URLs.

import { afterAll, describe, expect, it } from 'vitest';
import { Downloads } from '../../local/ecr/downloads.ts';
import { pushLayer, pushLayersOfImage, rawCall, startStandIn } from '../support/ecr-stand-in.ts';
import { dockerManifest, indexOf, ociIndex, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';

const standIn = await startStandIn();
afterAll(() => standIn.remove());

const { ecr } = standIn;
const repositoryName = 'team/app';

async function put(mediaType: string, imageTag?: string) {
  const imageManifest = await pushLayersOfImage(ecr, repositoryName, mediaType);
  await ecr.putImage({ repositoryName, imageManifest, imageTag });
  return { imageManifest, imageDigest: digestOf(imageManifest) };
}

const read = async (imageTag: string, acceptedMediaTypes?: string[]) =>
  (await ecr.batchGetImage({ repositoryName, imageIds: [{ imageTag }], acceptedMediaTypes })).images?.[0];

describe('a manifest that is read by its tag', () => {
  it.each([
    [dockerManifest, ociManifest],
    [ociManifest, dockerManifest],
  ])('as %s comes as %s where that alone is accepted, under its own digest', async (stored, accepted) => {
    const tag = `to-${digestOf(accepted).slice(7, 15)}`;
    const { imageManifest, imageDigest } = await put(stored, tag);
    const converted = await read(tag, [accepted]);
    expect(converted).toMatchObject({ imageId: { imageDigest }, imageManifestMediaType: accepted });
    expect(JSON.parse(converted?.imageManifest ?? '')).toMatchObject({ mediaType: accepted });
    expect(digestOf(converted?.imageManifest ?? '')).not.toBe(imageDigest);
    expect((await read(tag, [accepted, stored]))?.imageManifest).toBe(imageManifest);
    expect((await read(tag))?.imageManifest).toBe(imageManifest);
  });

  it('as an index stays one', async () => {
    const { imageManifest } = await put(ociManifest);
    const index = indexOf(imageManifest);
    await ecr.putImage({ repositoryName, imageManifest: index, imageTag: 'index' });
    expect(await read('index', [ociManifest])).toMatchObject({
      imageManifest: index,
      imageManifestMediaType: ociIndex,
    });
  });
});

describe('a page', () => {
  it('goes on where the one before has ended, whatever comes or goes meanwhile', async () => {
    const first = await ecr.listImages({ repositoryName, maxResults: 1 });
    await put(ociManifest, 'meanwhile');
    const rest = await ecr.listImages({ repositoryName, nextToken: first.nextToken });
    expect(rest.imageIds).not.toContainEqual(first.imageIds?.[0]);
  });

  it('is of the list that its token is of, and of no other', async () => {
    const { nextToken } = await ecr.listImages({ repositoryName, maxResults: 1 });
    for (const other of [
      { repositoryName: 'team/other' },
      { repositoryName, filter: { tagStatus: 'TAGGED' as const } },
    ]) {
      await expect(ecr.listImages({ ...other, nextToken })).rejects.toMatchObject({
        name: 'InvalidParameterException',
      });
    }
  });

  it.each([
    ['ListImages', { maxResults: 1_001 }],
    ['ListImages', { filter: { tagStatus: 'SOME' } }],
    ['ListImageReferrers', { maxResults: 51, subjectId: { imageDigest: 'x' } }],
    ['ListImageReferrers', {}],
    [
      'ListImageReferrers',
      { subjectId: { imageDigest: 'x' }, filter: { artifactTypes: Array(6).fill('a') } },
    ],
    ['BatchGetImage', { imageIds: [] }],
  ])('%s refuses %j', async (operation, members) => {
    const target = `AmazonEC2ContainerRegistry_V20150921.${operation}`;
    const answer = await rawCall(standIn.url, target, JSON.stringify({ repositoryName, ...members }));
    expect(await answer.json()).toMatchObject({ __type: 'InvalidParameterException' });
  });

  it('of archived images is empty', async () => {
    const filter = { imageStatus: 'ARCHIVED' as const };
    expect((await ecr.listImages({ repositoryName, filter })).imageIds).toEqual([]);
  });
});

it.each(['BatchGetImage', 'ListImages', 'ListImageReferrers', 'GetDownloadUrlForLayer'])(
  'ECR Public has no %s',
  async (operation) => {
    const answer = await rawCall(standIn.url, `SpencerFrontendService.${operation}`, '{}');
    expect(await answer.json()).toMatchObject({ __type: 'UnknownOperationException' });
  },
);

describe('a presigned URL', () => {
  it('is for GET alone, and for ranges within the layer', async () => {
    await put(ociManifest);
    const layer = randomBytes(10);
    const layerDigest = await pushLayer(ecr, repositoryName, layer);
    await expect(ecr.getDownloadUrlForLayer({ repositoryName, layerDigest })).rejects.toMatchObject({
      name: 'LayerInaccessibleException',
    });
    const manifest = await pushLayersOfImage(ecr, repositoryName);
    await ecr.putImage({ repositoryName, imageManifest: manifest });
    const { digest } = JSON.parse(manifest).config;
    const { downloadUrl = '' } = await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: digest });
    expect((await fetch(downloadUrl, { method: 'HEAD' })).status).toBe(404);
    expect((await fetch(downloadUrl, { headers: { range: 'bytes=300-' } })).status).toBe(416);
    const some = await fetch(downloadUrl, { headers: { range: 'bytes=10-19' } });
    expect([some.status, some.headers.get('content-range')]).toEqual([206, 'bytes 10-19/300']);
    expect((await some.arrayBuffer()).byteLength).toBe(10);
  });

  it('ends, and is nobody else’s to sign', () => {
    const downloads = new Downloads();
    const layer = { registry: 'ecr', repositoryName, layerDigest: digestOf('x') } as const;
    const queryOf = (url: string) => Object.fromEntries(new URLSearchParams(url.split('?')[1]));
    expect(downloads.layerOf(queryOf(downloads.urlOf(layer)))).toEqual(layer);
    expect(downloads.layerOf(queryOf(downloads.urlOf(layer, Date.now() - 1)))).toBeUndefined();
    expect(downloads.layerOf(queryOf(new Downloads().urlOf(layer)))).toBeUndefined();
    const later = { ...queryOf(downloads.urlOf(layer)), expires: String(Date.now() + 1e9) };
    expect(downloads.layerOf(later)).toBeUndefined();
  });
});
