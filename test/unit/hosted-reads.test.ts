// What the registry endpoint asks of ECR to read, and what it makes of the answers: manifests, tags, referrers, blobs.

import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { manifestMediaTypes } from '../../api/manifest.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { readBlob } from '../../registry/hosted/read-blobs.ts';
import {
  maxManifestReads,
  readManifest,
  readReferrers,
  readTags,
} from '../../registry/hosted/read-images.ts';
import { PortError } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { type Answers, call, scriptedCalls } from '../support/scripted-calls.ts';

const repositoryName = 'team-a/app';
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const manifest = '{"schemaVersion":2}';
const digest = digestOf(manifest);

function reading(answers: Answers) {
  const { calls, sent } = scriptedCalls(answers);
  return { options: { calls, call, repositoryName }, sent };
}

const refusing = (error: unknown) => async (): Promise<never> => Promise.reject(error);
const unsupported = new ProxyError('UnsupportedCommandException', 'PutImage alone');
const denied = new ProxyError('AccessDeniedException', 'the policy says no');
/** What is no error of the table, for all that it looks like one. */
const fault = Object.assign(new Error('x is undefined'), { code: 'UnsupportedCommandException' });

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error,
  );
}

const imageOf = (imageManifest: string | undefined, imageDigest?: string) => ({
  images: [{ imageId: { imageDigest }, imageManifest, imageManifestMediaType: mediaType }],
  failures: [],
});

describe('a manifest', () => {
  const image = (answer: ReturnType<typeof imageOf>) => reading({ BatchGetImage: () => answer });

  it.each([
    [{ tag: '1.0' }, { imageTag: '1.0' }],
    [{ digest }, { imageDigest: digest }],
  ])('named by %j is asked for so, in every media type that is pushed', async (reference, imageId) => {
    const { options, sent } = image(imageOf(manifest, digest));
    expect(await readManifest(reference, options)).toEqual({
      digest,
      mediaType,
      bytes: Buffer.from(manifest),
    });
    const members = { repositoryName, imageIds: [imageId], acceptedMediaTypes: [...manifestMediaTypes] };
    expect(sent).toEqual([{ operation: 'BatchGetImage', members }]);
  });

  it('whose digest ECR does not tell has that of its bytes', async () => {
    const { options } = image(imageOf(manifest));
    expect(await readManifest({ tag: '1.0' }, options)).toMatchObject({ digest });
  });

  it('of which ECR tells next to nothing is empty', async () => {
    const { options } = reading({ BatchGetImage: () => ({ images: [{ imageId: {} }], failures: [] }) });
    expect(await readManifest({ tag: '1.0' }, options)).toEqual({
      ...{ digest: digestOf(''), mediaType: '', bytes: Buffer.alloc(0) },
    });
  });

  it('that ECR has converted for its tag is read by its digest', async () => {
    const { options, sent } = reading({
      BatchGetImage: ({ imageIds: [id] }) => imageOf(id?.imageTag ? '{"converted":true}' : manifest, digest),
    });
    expect(await readManifest({ tag: '1.0' }, options)).toMatchObject({
      digest,
      bytes: Buffer.from(manifest),
    });
    expect(sent[1]?.members).toMatchObject({ imageIds: [{ imageDigest: digest }] });
    expect(sent.length).toBe(2);
  });

  it('that is another than its digest says is never given', async () => {
    const { options, sent } = image(imageOf('{"another":1}', digest));
    for (const reference of [{ digest }, { tag: '1.0' }]) {
      expect(await failureOf(readManifest(reference, options))).toEqual(
        new ProxyError('ServerException', `ECR does not give the manifest ${digest} as it was pushed.`),
      );
    }
    expect(sent.length).toBe(3);
  });

  const failed = (failureCode?: string) => ({
    images: [],
    failures: [{ failureCode, failureReason: 'it cannot be had' }],
  });

  it.each(['ImageNotFound', 'InvalidImageDigest', 'InvalidImageTag'])('is none after %s', async (code) => {
    const { options } = reading({ BatchGetImage: () => failed(code) });
    expect(await readManifest({ tag: '1.0' }, options)).toBeUndefined();
  });

  it('is no absent one where ECR has nothing to say', async () => {
    const { options } = reading({ BatchGetImage: () => ({ images: [], failures: [] }) });
    expect(await failureOf(readManifest({ tag: '1.0' }, options))).toEqual(
      new ProxyError(
        'ServerException',
        'ECR cannot give the image: it says neither that it has it nor that it has not.',
      ),
    );
  });

  it('that ECR has converted, and does not have by its digest, is not as it was pushed', async () => {
    const { options } = reading({
      BatchGetImage: ({ imageIds: [id] }) => (id?.imageTag ? imageOf('{}', digest) : failed('ImageNotFound')),
    });
    expect(await failureOf(readManifest({ tag: '1.0' }, options))).toEqual(
      new ProxyError('ServerException', `ECR does not give the manifest ${digest} as it was pushed.`),
    );
  });

  it('is there, whatever else has failed', async () => {
    const { failures } = failed('KmsError');
    const { options } = reading({ BatchGetImage: () => ({ ...imageOf(manifest, digest), failures }) });
    expect(await readManifest({ tag: '1.0' }, options)).toMatchObject({ digest });
  });

  it.each(['KmsError', undefined])('is no absent one after another failure: %s', async (code) => {
    const { options } = reading({ BatchGetImage: () => failed(code) });
    expect(await failureOf(readManifest({ tag: '1.0' }, options))).toEqual(
      new ProxyError('ServerException', 'ECR cannot give the image: it cannot be had.'),
    );
  });

  it('is read next to seven others at most', () => expect(maxManifestReads).toBe(8));
});

describe('what a registry cannot do', () => {
  const words =
    'Amazon ECR Public has no API that reads manifests or lists tags: pull public.ecr.aws/ALIAS/team-a/app, without a login, by the alias of its registry.';

  it('is refused in words that say where to', async () => {
    const { options } = reading({ BatchGetImage: refusing(unsupported), ListImages: refusing(unsupported) });
    for (const work of [readManifest({ digest }, options), readTags(options)]) {
      const error = await failureOf(work);
      expect(error).toBeInstanceOf(PortError);
      expect(error).toMatchObject({
        code: 'UnsupportedCommandException',
        message: words,
        cause: unsupported,
      });
    }
  });

  it.each([denied, fault])('is not what another failure is: %s', async (error) => {
    const { options } = reading({
      ...{ BatchGetImage: refusing(error), ListImages: refusing(error), ListImageReferrers: refusing(error) },
    });
    expect(await failureOf(readManifest({ digest }, options))).toBe(error);
    expect(await failureOf(readTags(options))).toBe(error);
    expect(await failureOf(readReferrers(digest, undefined, options))).toBe(error);
  });

  it('is no list of referrers', async () => {
    const { options } = reading({ ListImageReferrers: refusing(unsupported) });
    expect(await readReferrers(digest, undefined, options)).toBeUndefined();
  });
});

describe('the tags of a repository', () => {
  it('are read page by page, each once', async () => {
    const pages = [
      { imageIds: [{ imageTag: 'a' }, { imageTag: 'b' }, { imageDigest: digest }], nextToken: 'two' },
      { imageIds: [], nextToken: 'three' },
      { imageIds: [{ imageTag: 'b' }, { imageTag: 'c' }] },
    ];
    const { options, sent } = reading({ ListImages: () => pages.shift() ?? { imageIds: [] } });
    expect(await readTags(options)).toEqual(['a', 'b', 'c']);
    const members = { repositoryName, filter: { tagStatus: 'TAGGED' }, maxResults: 1_000 };
    expect(sent).toEqual(
      [undefined, 'two', 'three'].map((nextToken) => ({
        ...{ operation: 'ListImages', members: { ...members, nextToken } },
      })),
    );
  });
});

describe('a list', () => {
  it('of which ECR gives the same page again and again is none', async () => {
    const nextToken = 'again';
    const { options, sent } = reading({
      ListImages: () => ({ imageIds: [], nextToken }),
      ListImageReferrers: () => ({ referrers: [], nextToken }),
    });
    const error = new ProxyError('ServerException', 'ECR gives the same page of a list again and again.');
    expect(await failureOf(readTags(options))).toEqual(error);
    expect(await failureOf(readReferrers(digest, undefined, options))).toEqual(error);
    expect(sent.length).toBe(4);
  });
});

describe('the referrers of an image', () => {
  const referrer = { mediaType, digest, size: 7, artifactType: 'a', annotations: { key: 'value' } };

  it('are read page by page, without what is ECR’s own', async () => {
    const ecrs = { ...referrer, artifactStatus: 'ACTIVE' };
    const pages = [{ referrers: [ecrs], nextToken: 'two' }, { referrers: [ecrs] }];
    const { options, sent } = reading({ ListImageReferrers: () => pages.shift() ?? { referrers: [] } });
    expect(await readReferrers(digest, undefined, options)).toEqual([referrer, referrer]);
    const members = { repositoryName, subjectId: { imageDigest: digest }, filter: undefined, maxResults: 50 };
    expect(sent.map((one) => one.members)).toEqual([
      { ...members, nextToken: undefined },
      { ...members, nextToken: 'two' },
    ]);
  });

  it('may be asked for by their type', async () => {
    const { options, sent } = reading({ ListImageReferrers: () => ({ referrers: [] }) });
    expect(await readReferrers(digest, 'a', options)).toEqual([]);
    expect(sent[0]?.members).toMatchObject({ filter: { artifactTypes: ['a'] } });
  });
});

describe('a blob', () => {
  afterEach(() => vi.unstubAllGlobals());
  const downloadUrl = 'https://bucket.test/layer?signature=s';
  const found = () => reading({ GetDownloadUrlForLayer: () => ({ downloadUrl, layerDigest: digest }) });

  it('is where ECR says, and is not asked for there', async () => {
    const fetched = vi.fn();
    vi.stubGlobal('fetch', fetched);
    const { options, sent } = found();
    expect(await readBlob(digest, 'redirect', options)).toEqual({ url: downloadUrl });
    expect(sent).toEqual([
      { operation: 'GetDownloadUrlForLayer', members: { repositoryName, layerDigest: digest } },
    ]);
    expect(fetched).not.toHaveBeenCalled();
  });

  it('that ECR does not have is none', async () => {
    const { options } = reading({
      GetDownloadUrlForLayer: refusing(new ProxyError('LayersNotFoundException')),
    });
    expect(await readBlob(digest, 'redirect', options)).toBeUndefined();
  });

  it.each([denied, Object.assign(new Error('another’s'), { code: 'LayersNotFoundException' })])(
    'that may not be asked for is no absent one: %s',
    async (error) => {
      const { options } = reading({ GetDownloadUrlForLayer: refusing(error) });
      expect(await failureOf(readBlob(digest, 'stream', options))).toBe(error);
    },
  );

  const streamed = (answer: Response | Error) => {
    const fetched = vi.fn(async () => {
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    });
    vi.stubGlobal('fetch', fetched);
    return { fetched, reading: readBlob(digest, 'stream', found().options) };
  };

  it('comes through here where clients have no other way', async () => {
    const { fetched, reading } = streamed(new Response('layer', { headers: { 'content-length': '5' } }));
    const content = await reading;
    if (!content || 'url' in content) {
      throw new Error('no bytes');
    }
    expect([content.size, String(await buffer(content.chunks))]).toEqual([5, 'layer']);
    expect(fetched).toHaveBeenCalledWith(downloadUrl, { signal: call.signal });
  });

  it('whose place cannot be reached is asked for again', async () => {
    const error = new Error('connect ECONNREFUSED');
    expect(await failureOf(streamed(error).reading)).toMatchObject({
      ...{ name: 'ProxyError', code: 'ServiceUnavailableException', cause: error },
    });
  });

  it.each<[string, Response, number]>([
    ['a refusal', new Response('no', { status: 403, headers: { 'content-length': '2' } }), 403],
    ['no length', new Response('layer'), 200],
    ['a length that is none', new Response('layer', { headers: { 'content-length': 'x' } }), 200],
    ['no body', new Response(null, { headers: { 'content-length': '5' } }), 200],
  ])(
    'whose place answers %s is a failure of ECR’s, and its connection is let go',
    async (_, answer, status) => {
      const cancelled = answer.body && vi.spyOn(answer.body, 'cancel');
      expect(await failureOf(streamed(answer).reading)).toMatchObject({
        ...{ name: 'ProxyError', code: 'ServerException' },
        cause: new Error(`the layer's URL answered ${status}`),
      });
      if (cancelled) {
        expect(cancelled).toHaveBeenCalledTimes(1);
      }
    },
  );
});
