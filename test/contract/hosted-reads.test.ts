// What the hosted registry reads of ECR: manifests as they were pushed, tags, referrers and blobs; and of ECR Public, less.

import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxManifestReads } from '../../registry/hosted/read-images.ts';
import type { RegistryPort } from '../../registry/port.ts';
import { bodyOf, callerOf, hostedInstance } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { dockerManifest, manifestOf, ociManifest } from '../support/manifests.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';

const repositoryName = 'team-a/app';
const policies = `
  @id("pushes") permit (principal, action in Action::"push", resource);
  @id("reads") permit (principal == Client::"team-a-ci", action in Action::"read", resource);
`;

let stack: InProcess;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  stack = await startInProcess({ policyDirectory: policiesOf({ 'policies.cedar': policies }) });
});
afterAll(() => stack.close());

const open = (overrides: Parameters<typeof hostedInstance>[1] = {}, token?: string) =>
  hostedInstance(stack, overrides).open(callerOf(token));

async function pushBlob(port: RegistryPort, bytes: Uint8Array) {
  const { reference } = await port.begin(repositoryName);
  await port.finish(repositoryName, reference, digestOf(bytes), bodyOf(bytes));
}

async function pushImage(port: RegistryPort, tag: string, mediaType = ociManifest) {
  const [config, layer] = [randomBytes(100), randomBytes(1_000)];
  await pushBlob(port, config);
  await pushBlob(port, layer);
  const text = manifestOf(config, [layer], { mediaType });
  const image = { digest: digestOf(text), mediaType, bytes: Buffer.from(text) };
  await port.putManifest(repositoryName, { ...image, tag });
  return { ...image, layer };
}

describe('an image', () => {
  it.each([ociManifest, dockerManifest])(
    'of type %s is read as it was pushed, by tag and by digest',
    async (mediaType) => {
      const port = await open();
      const { layer: _, ...image } = await pushImage(port, 'as-pushed', mediaType);
      for (const reference of [{ tag: 'as-pushed' }, { digest: image.digest }]) {
        expect(await port.getManifest(repositoryName, reference)).toEqual(image);
      }
      // That ECR has it already is no failure.
      await port.putManifest(repositoryName, { ...image, tag: 'as-pushed' });
    },
  );

  it('is read next to a few others at most, however many are asked for', async () => {
    const { ecr, ...others } = stack.services.upstream.ecr;
    let now = 0;
    let most = 0;
    const BatchGetImage: typeof ecr.BatchGetImage = async () => {
      now += 1;
      most = Math.max(most, now);
      await sleep(20);
      now -= 1;
      return { images: [], failures: [{ failureCode: 'ImageNotFound' }] };
    };
    const upstream = { ...stack.services.upstream, ecr: { ...others, ecr: { ...ecr, BatchGetImage } } };
    const port = await hostedInstance({ services: { ...stack.services, upstream } }).open(callerOf());
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => port.getManifest(repositoryName, { tag: `at-once-${n}` })),
    );
    expect(most).toBe(maxManifestReads);
  });

  it('that ECR converts, as it does for one read by a tag, is read by its digest', async () => {
    const { layer: _, ...image } = await pushImage(await open(), 'converted');
    const { services } = stack;
    const { ecr, ...others } = services.upstream.ecr;
    const BatchGetImage: typeof ecr.BatchGetImage = async (input, abortSignal) => {
      const answer = await ecr.BatchGetImage(input, abortSignal);
      const isByTag = input.imageIds.some(({ imageTag }) => imageTag !== undefined);
      const converted = (answer.images ?? []).map((one) => ({
        ...one,
        imageManifest: '{"schemaVersion":1}',
      }));
      return isByTag ? { ...answer, images: converted } : answer;
    };
    const upstream = { ...services.upstream, ecr: { ...others, ecr: { ...ecr, BatchGetImage } } };
    const converting = hostedInstance({ services: { ...services, upstream } });
    const port = await converting.open(callerOf());
    expect(await port.getManifest(repositoryName, { tag: 'converted' })).toEqual(image);
  });

  it.each<[string, Awaited<ReturnType<typeof stack.services.upstream.ecr.ecr.BatchGetImage>>]>([
    ['says nothing of', { images: [], failures: [] }],
    [
      'gives under another digest',
      { images: [{ imageId: { imageDigest: digestOf('x') }, imageManifest: 'y' }] },
    ],
  ])('that ECR %s is no absence', async (_which, answer) => {
    const { services } = stack;
    const { ecr, ...others } = services.upstream.ecr;
    const BatchGetImage: typeof ecr.BatchGetImage = async ({ imageIds }) =>
      imageIds.some(({ imageTag }) => imageTag !== undefined)
        ? answer
        : { images: [], failures: [{ failureCode: 'ImageNotFound' }] };
    const ListImages: typeof ecr.ListImages = async () => ({ imageIds: [], nextToken: 'again' });
    const upstream = { ...services.upstream, ecr: { ...others, ecr: { ...ecr, BatchGetImage, ListImages } } };
    const patience = { attemptMs: 5_000, budgetMs: 0, pauseMs: () => 1 };
    const port = await hostedInstance({ services: { ...services, upstream } }, { patience }).open(callerOf());
    const failed = { code: 'ServerException' };
    await expect(port.getManifest(repositoryName, { tag: 'any' })).rejects.toMatchObject(failed);
    await expect(port.listTags(repositoryName)).rejects.toMatchObject(failed);
  });

  it('that is not there is none', async () => {
    const port = await open();
    for (const reference of [{ tag: 'none' }, { digest: digestOf('none') }]) {
      expect(await port.getManifest(repositoryName, reference)).toBeUndefined();
    }
  });

  it('is refused to who may push and not read', async () => {
    await pushImage(await open(), 'secret');
    const port = await open({}, 'eup_team-b-ci_local');
    for (const read of [
      () => port.getManifest(repositoryName, { tag: 'secret' }),
      () => port.listTags(repositoryName),
      () => port.listReferrers(repositoryName, digestOf('x'), undefined),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'AccessDeniedException' });
    }
  });

  it('has its tags listed, page after page, each once', async () => {
    const port = await open();
    const { layer: _, ...image } = await pushImage(port, 'first');
    await port.putManifest(repositoryName, { ...image, tag: 'second' });
    const tags = await port.listTags(repositoryName);
    expect(tags).toEqual(expect.arrayContaining(['first', 'second']));
    expect(new Set(tags).size).toBe(tags.length);
  });

  it('has its referrers listed, all or those of a type', async () => {
    const port = await open();
    const { digest, bytes, mediaType } = await pushImage(port, 'subject');
    const config = randomBytes(10);
    await pushBlob(port, config);
    const subject = { mediaType, digest, size: bytes.length };
    const text = JSON.stringify({
      ...JSON.parse(manifestOf(config, [config], { mediaType: ociManifest })),
      artifactType: 'application/example',
      subject,
    });
    const referrer = { digest: digestOf(text), mediaType: ociManifest, bytes: Buffer.from(text) };
    const put = await port.putManifest(repositoryName, { ...referrer, tag: undefined });
    expect(put).toEqual({ listsReferrers: true });
    const expected = { digest: referrer.digest, artifactType: 'application/example', size: text.length };
    for (const [type, found] of [
      [undefined, [expected]],
      ['application/example', [expected]],
      ['application/other', []],
    ] as const) {
      expect(await port.listReferrers(repositoryName, digest, type)).toMatchObject(found);
    }
  });
});

describe('a blob', () => {
  it('is where ECR says, or comes through here, as configured', async () => {
    const { layer } = await pushImage(await open(), 'blob');
    const digest = digestOf(layer);
    const redirected = await (await open()).getBlob(repositoryName, digest);
    const url = redirected && 'url' in redirected ? redirected.url : '';
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(layer)).toBe(true);
    const streamed = await (await open({ blobMode: 'stream' })).getBlob(repositoryName, digest);
    if (!streamed || 'url' in streamed) {
      throw new Error('it was not streamed');
    }
    expect(streamed.size).toBe(layer.length);
    expect((await buffer(streamed.chunks)).equals(layer)).toBe(true);
  });

  it('that is not there is none', async () => {
    expect(await (await open()).getBlob(repositoryName, digestOf('none'))).toBeUndefined();
    expect(await (await open()).hasBlob(repositoryName, digestOf('none'))).toBeUndefined();
  });
});

describe('of ECR Public', () => {
  it('images are pushed, and reading is refused in words that say where to', async () => {
    const port = await open({ registry: 'ecr-public' });
    await pushImage(port, 'public');
    await expect(port.getManifest(repositoryName, { tag: 'public' })).rejects.toThrow(
      `pull public.ecr.aws/ALIAS/${repositoryName}`,
    );
    await expect(port.listTags(repositoryName)).rejects.toMatchObject({
      code: 'UnsupportedCommandException',
    });
    expect(await port.listReferrers(repositoryName, digestOf('x'), undefined)).toBeUndefined();
  });
});
