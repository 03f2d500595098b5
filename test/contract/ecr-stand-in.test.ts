// ECR's rules for layers, private and public, as the AWS SDK's own clients meet them at the stand-in.

import { randomUUID } from 'node:crypto';
import * as ecrModule from '@aws-sdk/client-ecr';
import * as ecrPublicModule from '@aws-sdk/client-ecr-public';
import { afterAll, describe, expect, it } from 'vitest';
import {
  accountId,
  type LayerClient,
  mebibyte,
  part,
  publicAlias,
  pushLayer,
  rawCall,
  startStandIn,
} from '../support/ecr-stand-in.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';

const standIn = await startStandIn();
afterAll(() => standIn.remove());

const repositoryName = 'team/app';
const absent = `sha256:${'0'.repeat(64)}`;

/** What a row works with: a client, and an upload just begun in `team/app`. */
type Scene = { client: LayerClient; upload: { repositoryName: string; uploadId: string } };

type Refusal = {
  name: string;
  act: (scene: Scene) => Promise<unknown>;
  error: keyof typeof ecrModule & keyof typeof ecrPublicModule & `${string}Exception`;
  shows?: (scene: Scene) => Record<string, unknown>;
};

const invalidParameter = (constraint: string) => () => ({ message: expect.stringContaining(constraint) });

const refusals: Refusal[] = [
  {
    name: 'a repository that does not exist is not found',
    act: ({ client }) => client.initiateLayerUpload({ repositoryName: 'team/nowhere' }),
    error: 'RepositoryNotFoundException',
    shows: () => ({
      message: `The repository with name 'team/nowhere' does not exist in the registry with id '${accountId}'`,
    }),
  },
  ...['Team/app', 'a', 'team//app', 'team/app/', '-team', 'team/app:v1', 'team/app\n'].map((bad) => ({
    name: `the repository name ${JSON.stringify(bad)} is refused`,
    act: ({ client }: Scene) => client.initiateLayerUpload({ repositoryName: bad }),
    error: 'InvalidParameterException' as const,
    shows: invalidParameter("Invalid parameter at 'repositoryName'"),
  })),
  {
    name: 'a call without a repository name is refused',
    act: ({ client }) => client.initiateLayerUpload({ repositoryName: undefined }),
    error: 'InvalidParameterException',
    shows: invalidParameter('Member must not be null'),
  },
  {
    name: 'an upload id that is no UUID is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, uploadId: 'x', ...part(randomBytes(1)) }),
    error: 'InvalidParameterException',
    shows: invalidParameter("Invalid parameter at 'uploadId'"),
  },
  {
    name: 'an unknown upload id is not found by UploadLayerPart',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, uploadId: randomUUID(), ...part(randomBytes(1)) }),
    error: 'UploadNotFoundException',
  },
  {
    name: 'an unknown upload id is not found by CompleteLayerUpload',
    act: ({ client, upload }) =>
      client.completeLayerUpload({ ...upload, uploadId: randomUUID(), layerDigests: [absent] }),
    error: 'UploadNotFoundException',
  },
  {
    name: "another repository's upload is not found",
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, repositoryName: 'team/other', ...part(randomBytes(1)) }),
    error: 'UploadNotFoundException',
  },
  {
    name: 'a first part that does not begin at 0 is refused, with no last valid byte',
    act: ({ client, upload }) => client.uploadLayerPart({ ...upload, ...part(randomBytes(9), 5) }),
    error: 'InvalidLayerPartException',
    shows: ({ upload }) => ({
      ...upload,
      registryId: accountId,
      message: 'First byte of the layer part is 5 instead of 0',
      lastValidByteReceived: undefined,
    }),
  },
  {
    name: 'a part sent twice is refused, with the last valid byte',
    act: async ({ client, upload }) => {
      const twice = part(randomBytes(9));
      await client.uploadLayerPart({ ...upload, ...twice });
      await client.uploadLayerPart({ ...upload, ...twice });
    },
    error: 'InvalidLayerPartException',
    shows: ({ upload }) => ({
      ...upload,
      registryId: accountId,
      message: 'First byte of the layer part is 0 instead of 9',
      lastValidByteReceived: 8,
    }),
  },
  {
    name: 'a gap between parts is refused',
    act: async ({ client, upload }) => {
      await client.uploadLayerPart({ ...upload, ...part(randomBytes(9)) });
      await client.uploadLayerPart({ ...upload, ...part(randomBytes(9), 10) });
    },
    error: 'InvalidLayerPartException',
    shows: () => ({
      message: 'First byte of the layer part is 10 instead of 9',
      lastValidByteReceived: 8,
    }),
  },
  {
    name: 'a part shorter than its positions say is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, ...part(randomBytes(9)), partLastByte: 9 }),
    error: 'InvalidLayerPartException',
  },
  {
    name: 'a part longer than its positions say is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, ...part(randomBytes(9)), partLastByte: 7 }),
    error: 'InvalidLayerPartException',
  },
  {
    name: 'an empty part is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({
        ...upload,
        partFirstByte: 0,
        partLastByte: 0,
        layerPartBlob: Buffer.alloc(0),
      }),
    error: 'InvalidLayerPartException',
  },
  {
    name: 'a part of one byte more than 10 MiB is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, ...part(randomBytes(10 * mebibyte + 1)) }),
    error: 'InvalidLayerPartException',
  },
  {
    name: 'a blob of more than 20 MiB is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, ...part(Buffer.alloc(20 * mebibyte + 1)) }),
    error: 'InvalidParameterException',
    shows: invalidParameter('length less than or equal to 20971520'),
  },
  {
    name: 'a negative position is refused',
    act: ({ client, upload }) =>
      client.uploadLayerPart({ ...upload, ...part(randomBytes(2)), partFirstByte: -1 }),
    error: 'InvalidParameterException',
  },
  {
    name: 'an upload without a part cannot be completed',
    act: ({ client, upload }) => client.completeLayerUpload({ ...upload, layerDigests: [absent] }),
    error: 'EmptyUploadException',
    shows: ({ upload }) => ({
      message:
        `The upload with id '${upload.uploadId}' in the repository with name '${repositoryName}' in registry ` +
        `with id '${accountId}' cannot be completed because it does not have any parts`,
    }),
  },
  {
    name: 'a part below 5 MiB that is not the last fails at CompleteLayerUpload',
    act: async ({ client, upload }) => {
      const bytes = randomBytes(5 * mebibyte);
      await client.uploadLayerPart({ ...upload, ...part(bytes.subarray(0, -1)) });
      await client.uploadLayerPart({ ...upload, ...part(bytes.subarray(-1), bytes.length - 1) });
      await client.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
    },
    error: 'LayerPartTooSmallException',
    shows: () => ({ message: 'All layer parts except the last part should be at least 5MB' }),
  },
  {
    name: 'bytes that match none of the digests are no layer',
    act: async ({ client, upload }) => {
      await client.uploadLayerPart({ ...upload, ...part(randomBytes(9)) });
      await client.completeLayerUpload({ ...upload, layerDigests: [absent, `sha512:${'0'.repeat(128)}`] });
    },
    error: 'InvalidLayerException',
    shows: () => ({ message: 'None of the provided layer digests match the calculated layer digest' }),
  },
  {
    name: 'a layer that is there already is not taken again',
    act: async ({ client, upload }) => {
      const bytes = randomBytes(9);
      await pushLayer(client, repositoryName, bytes);
      await client.uploadLayerPart({ ...upload, ...part(bytes) });
      await client.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
    },
    error: 'LayerAlreadyExistsException',
  },
  ...[
    { what: 'no digest at all', layerDigests: [] },
    { what: '101 digests', layerDigests: Array.from({ length: 101 }, () => absent) },
    { what: 'a digest that is none', layerDigests: ['latest'] },
  ].map(({ what, layerDigests }) => ({
    name: `CompleteLayerUpload with ${what} is refused`,
    act: ({ client, upload }: Scene) => client.completeLayerUpload({ ...upload, layerDigests }),
    error: 'InvalidParameterException' as const,
  })),
  {
    name: 'BatchCheckLayerAvailability of no digest is refused',
    act: ({ client }) => client.batchCheckLayerAvailability({ repositoryName, layerDigests: [] }),
    error: 'InvalidParameterException',
  },
  {
    name: 'BatchCheckLayerAvailability of 101 digests is refused',
    act: ({ client }) =>
      client.batchCheckLayerAvailability({ repositoryName, layerDigests: Array(101).fill(absent) }),
    error: 'InvalidParameterException',
  },
];

const sides = [
  { side: 'private', exceptions: ecrModule, client: standIn.ecr },
  { side: 'public', exceptions: ecrPublicModule, client: standIn.ecrPublic },
];

describe.each(sides)('layers of the $side registry', ({ exceptions, client }) => {
  const begin = async (): Promise<Scene> => {
    const { uploadId = '' } = await client.initiateLayerUpload({ repositoryName });
    return { client, upload: { repositoryName, uploadId } };
  };

  it.each(refusals)('$name', async ({ act, error, shows }) => {
    const scene = await begin();
    const caught: unknown = await act(scene).catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(exceptions[error]);
    expect(caught).toMatchObject({ $metadata: { httpStatusCode: 400, requestId: expect.any(String) } });
    for (const [member, value] of Object.entries(shows?.(scene) ?? {})) {
      expect(caught).toHaveProperty(member, value);
    }
  });

  it('an upload is answered a UUID and a part size of 10 MiB', async () => {
    const answer = await client.initiateLayerUpload({ repositoryName, registryId: accountId });
    expect(answer.uploadId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(answer.partSize).toBe(10_485_760);
  });

  it('parts of 5 and 10 MiB and a short last one make a layer, found by any of the digests given', async () => {
    const { upload } = await begin();
    const bytes = randomBytes(15 * mebibyte + 7);
    const cuts = [0, 5 * mebibyte, 15 * mebibyte, bytes.length];
    for (const [position, first] of cuts.slice(0, -1).entries()) {
      const slice = bytes.subarray(first, cuts[position + 1]);
      const answer = await client.uploadLayerPart({ ...upload, ...part(slice, first) });
      expect(answer).toMatchObject({ ...upload, registryId: accountId });
      expect(answer.lastByteReceived).toBe(first + slice.length - 1);
    }
    const layerDigest = digestOf(bytes);
    const layerDigests = [absent, `${upload.uploadId}:ab12`, layerDigest];
    const answer = await client.completeLayerUpload({ ...upload, layerDigests });
    expect(answer).toMatchObject({ ...upload, registryId: accountId, layerDigest });
  });

  it('a completed upload is gone', async () => {
    const { upload } = await begin();
    const bytes = randomBytes(9);
    await client.uploadLayerPart({ ...upload, ...part(bytes) });
    const complete = () => client.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
    await complete();
    await expect(complete()).rejects.toBeInstanceOf(exceptions.UploadNotFoundException);
  });

  it('a refused CompleteLayerUpload leaves the upload as it was', async () => {
    const { upload } = await begin();
    const bytes = randomBytes(5 * mebibyte + 9);
    await client.uploadLayerPart({ ...upload, ...part(bytes.subarray(0, 5 * mebibyte)) });
    await expect(client.completeLayerUpload({ ...upload, layerDigests: [absent] })).rejects.toThrow();
    await client.uploadLayerPart({ ...upload, ...part(bytes.subarray(5 * mebibyte), 5 * mebibyte) });
    await client.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
  });

  it('a part whose refusal told the last valid byte can be followed by the right one', async () => {
    const { upload } = await begin();
    const bytes = randomBytes(18);
    const [refused, ...rest] = await Promise.allSettled([
      client.uploadLayerPart({ ...upload, ...part(bytes.subarray(9), 9) }),
    ]);
    expect([refused?.status, rest]).toEqual(['rejected', []]);
    await client.uploadLayerPart({ ...upload, ...part(bytes) });
    await client.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
  });

  it('of the same part sent at the same moment exactly one is taken', async () => {
    const { upload } = await begin();
    const same = part(randomBytes(mebibyte));
    const sent = Array.from({ length: 5 }, () => client.uploadLayerPart({ ...upload, ...same }));
    const statuses = (await Promise.allSettled(sent)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'fulfilled')).toHaveLength(1);
  });

  it('layers are available, unavailable, or failures when they are no digests', async () => {
    const digest = await pushLayer(client, repositoryName, randomBytes(1_234));
    const answer = await client.batchCheckLayerAvailability({
      repositoryName,
      layerDigests: [digest, absent, 'latest', '', 'sha256:ab'],
    });
    expect(answer.layers).toEqual([
      {
        layerDigest: digest,
        layerAvailability: 'AVAILABLE',
        layerSize: 1_234,
        mediaType: expect.stringMatching(/^application\//),
      },
      { layerDigest: absent, layerAvailability: 'UNAVAILABLE' },
    ]);
    expect(answer.failures?.map(({ layerDigest, failureCode }) => [layerDigest, failureCode])).toEqual([
      ['latest', 'InvalidLayerDigest'],
      ['', 'MissingLayerDigest'],
      ['sha256:ab', 'InvalidLayerDigest'],
    ]);
  });

  it('a layer of one repository is not a layer of another, nor of the other registry', async () => {
    const layerDigests = [await pushLayer(client, repositoryName, randomBytes(77))];
    const elsewhere = client === standIn.ecr ? standIn.ecrPublic : standIn.ecr;
    const answers = await Promise.all([
      client.batchCheckLayerAvailability({ repositoryName: 'team/other', layerDigests }),
      elsewhere.batchCheckLayerAvailability({ repositoryName, layerDigests }),
    ]);
    for (const { layers } of answers) {
      expect(layers).toMatchObject([{ layerAvailability: 'UNAVAILABLE' }]);
    }
  });
});

describe('registry ids', () => {
  it('the private registry goes by an account id, and another account has no repositories', async () => {
    const initiate = (registryId: string) => standIn.ecr.initiateLayerUpload({ repositoryName, registryId });
    await expect(initiate('12345')).rejects.toBeInstanceOf(ecrModule.InvalidParameterException);
    await expect(initiate(publicAlias)).rejects.toBeInstanceOf(ecrModule.InvalidParameterException);
    await expect(initiate('999999999999')).rejects.toMatchObject({
      name: 'RepositoryNotFoundException',
      message: `The repository with name '${repositoryName}' does not exist in the registry with id '999999999999'`,
    });
  });

  it('the public registry goes by the account id or its alias, and another is not found', async () => {
    const initiate = (registryId: string) =>
      standIn.ecrPublic.initiateLayerUpload({ repositoryName, registryId });
    await initiate(accountId);
    await initiate(publicAlias);
    await expect(initiate('999999999999')).rejects.toBeInstanceOf(ecrPublicModule.RegistryNotFoundException);
    await expect(initiate('x')).rejects.toBeInstanceOf(ecrPublicModule.InvalidParameterException);
  });

  it('names are bounded at 256 characters in the private registry and 205 in the public one', async () => {
    const name = (length: number) => ({ repositoryName: 'a'.repeat(length) });
    const { ecr, ecrPublic } = standIn;
    await expect(ecr.initiateLayerUpload(name(256))).rejects.toThrow('does not exist');
    await expect(ecr.initiateLayerUpload(name(257))).rejects.toThrow('less than or equal to 256');
    await expect(ecrPublic.initiateLayerUpload(name(205))).rejects.toThrow('does not exist');
    await expect(ecrPublic.initiateLayerUpload(name(206))).rejects.toThrow('less than or equal to 205');
  });
});

describe('the wire', () => {
  const target = 'AmazonEC2ContainerRegistry_V20150921.InitiateLayerUpload';
  const body = JSON.stringify({ repositoryName });
  const scoped = (scope: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=AKID/20260101/${scope}/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  });
  const publicTarget = 'SpencerFrontendService.InitiateLayerUpload';

  const rows: {
    name: string;
    error: string;
    target?: string;
    body?: string | Buffer;
    headers?: Record<string, string>;
    says?: string;
  }[] = [
    {
      name: 'an operation that ECR has and the stand-in has not is refused, naming what it has',
      target: 'AmazonEC2ContainerRegistry_V20150921.DescribeImages',
      error: 'UnknownOperationException',
      says: 'InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, BatchCheckLayerAvailability, PutImage',
    },
    {
      name: 'an operation without a prefix is refused',
      target: 'PutImage',
      error: 'UnknownOperationException',
    },
    {
      name: 'a name from the prototype is no operation',
      target: 'AmazonEC2ContainerRegistry_V20150921.constructor',
      error: 'UnknownOperationException',
    },
    {
      name: 'another content type is refused',
      headers: { 'content-type': 'application/json' },
      error: 'UnknownOperationException',
      says: 'application/x-amz-json-1.1',
    },
    {
      name: 'a call without a signature is refused',
      headers: { authorization: '' },
      error: 'MissingAuthenticationTokenException',
    },
    {
      name: 'a bearer token is no signature',
      headers: { authorization: 'Bearer abc' },
      error: 'MissingAuthenticationTokenException',
    },
    {
      name: 'half a signature is refused',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AKID' },
      error: 'IncompleteSignatureException',
    },
    {
      name: 'a signature for another service is refused',
      headers: scoped('us-east-1/ecr-public'),
      error: 'InvalidSignatureException',
      says: "'ecr'",
    },
    {
      name: 'a public call signed for a region without an endpoint is refused',
      target: publicTarget,
      headers: scoped('eu-central-1/ecr-public'),
      error: 'InvalidSignatureException',
      says: 'us-east-1 and us-west-2',
    },
    { name: 'a body that is not JSON is refused', body: '{', error: 'SerializationException' },
    { name: 'a body that is no object is refused', body: '[]', error: 'SerializationException' },
    {
      name: 'a body that is not UTF-8 is refused',
      body: Buffer.from('{"repositoryName":"\xff"}', 'latin1'),
      error: 'SerializationException',
    },
    {
      name: 'a member of another type is refused',
      body: '{"repositoryName":1}',
      error: 'SerializationException',
    },
    {
      name: 'a member that is null counts as absent',
      body: '{"repositoryName":null}',
      error: 'InvalidParameterException',
      says: 'Member must not be null',
    },
    {
      name: 'base64 with anything foreign in it is refused',
      target: 'AmazonEC2ContainerRegistry_V20150921.UploadLayerPart',
      body: JSON.stringify({
        repositoryName,
        uploadId: randomUUID(),
        partFirstByte: 0,
        partLastByte: 2,
        layerPartBlob: 'YW-j',
      }),
      error: 'InvalidParameterException',
      says: 'base64',
    },
    {
      name: 'a position with a fraction is refused',
      target: 'AmazonEC2ContainerRegistry_V20150921.UploadLayerPart',
      body: JSON.stringify({
        repositoryName,
        uploadId: randomUUID(),
        partFirstByte: 0.5,
        partLastByte: 2,
        layerPartBlob: 'YWJj',
      }),
      error: 'InvalidParameterException',
      says: 'partFirstByte',
    },
  ];

  it.each(rows)('$name', async (row) => {
    const response = await rawCall(standIn.url, row.target ?? target, row.body ?? body, row.headers);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    const answer = await response.json();
    expect(answer).toMatchObject({ __type: row.error });
    expect(answer).toHaveProperty('message', expect.stringContaining(row.says ?? ''));
  });

  it('members that ECR does not know are ignored', async () => {
    const response = await rawCall(standIn.url, target, JSON.stringify({ repositoryName, colour: 'red' }));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1');
  });

  it('a body above any legal one is refused with 413', async () => {
    const response = await rawCall(standIn.url, target, Buffer.alloc(32 * mebibyte + 1, ' '));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ __type: 'RequestEntityTooLargeException' });
  });

  it('any other path is refused', async () => {
    expect((await fetch(`${standIn.url}/`)).status).toBe(404);
    expect((await fetch(`${standIn.url}/v1/anything`)).status).toBe(404);
  });
});
