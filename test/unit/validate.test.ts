import { describe, expect, it } from 'vitest';
import { resourceDoor } from '../../lambda/doors.ts';
import { ProxyError } from '../../lambda/errors.ts';
import type { OperationName } from '../../lambda/operations.ts';
import { validate } from '../../lambda/steps/validate.ts';
import { lambdaContext, proxyEvent } from '../support/proxy-event.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const uploadId = '11111111-2222-3333-4444-555555555555-00000000000000000000000000000000';

type Request = Parameters<typeof proxyEvent>[1];

const call = <Name extends OperationName>(operation: Name, request: Request) =>
  validate(proxyEvent(operation, request), lambdaContext(), resourceDoor(operation), {
    operation,
    registry: 'ecr',
  });

const faultsOf = async (operation: OperationName, request: Request): Promise<unknown> => {
  const failure: unknown = await call(operation, request).catch((error: unknown) => error);
  if (!(failure instanceof ProxyError)) throw new Error('not refused', { cause: failure });
  return { code: failure.code, members: failure.members.invalidMembers?.map(({ member }) => member) };
};

const invalid = (...members: string[]) => ({ code: 'InvalidParameterException', members });
const json = (body: unknown) => ({ json: body });
const raw = (bytes: number, contentRange?: string) => ({
  headers: {
    'content-type': 'application/octet-stream',
    ...(contentRange && { 'content-range': contentRange }),
  },
  bytes: Buffer.alloc(bytes, 1),
  query: { repositoryName: ['team-a/app'] },
  path: { uploadId },
});

describe('validate', () => {
  it('reads a raw part with its positions from Content-Range and its members from path and query', async () => {
    const { members, registry } = await call('UploadLayerPart', raw(10, 'bytes 0-9/*'));
    expect(registry).toBe('ecr');
    expect(members).toMatchObject({
      repositoryName: 'team-a/app',
      uploadId,
      partFirstByte: 0,
      partLastByte: 9,
    });
    expect(Buffer.from(members.layerPartBlob)).toEqual(Buffer.alloc(10, 1));
  });

  it('reads the same part from JSON with ECR’s members', async () => {
    const { members } = await call('UploadLayerPart', {
      ...json({ repositoryName: 'team-a/app', partFirstByte: 0, partLastByte: 2, layerPartBlob: 'AQEB' }),
      path: { uploadId },
    });
    expect(Buffer.from(members.layerPartBlob)).toEqual(Buffer.alloc(3, 1));
  });

  it('takes a blob of a whole part in base64 without overflowing the stack', async () => {
    const bytes = Buffer.alloc(4_194_304, 0xab);
    const { members } = await call('UploadLayerPart', {
      ...json({
        repositoryName: 'team-a/app',
        partFirstByte: 0,
        partLastByte: bytes.length - 1,
        layerPartBlob: bytes.toString('base64'),
      }),
      path: { uploadId },
    });
    expect(Buffer.compare(bytes, members.layerPartBlob)).toBe(0);
  });

  it.each<[string, OperationName, Request, unknown]>([
    ['a body that is not JSON', 'InitiateLayerUpload', { text: '{"repositoryName"' }, invalid('body')],
    ['no body', 'InitiateLayerUpload', {}, invalid('body')],
    ['JSON that is not an object', 'InitiateLayerUpload', json([]), invalid('body')],
    ['a missing member', 'InitiateLayerUpload', json({}), invalid('repositoryName')],
    [
      'an unknown member',
      'InitiateLayerUpload',
      json({ repositoryName: 'a/b', repository: 'x' }),
      invalid('repository'),
    ],
    [
      'a repository name in upper case',
      'InitiateLayerUpload',
      json({ repositoryName: 'Team/App' }),
      invalid('repositoryName'),
    ],
    [
      'a repository name of one character',
      'InitiateLayerUpload',
      json({ repositoryName: 'a' }),
      invalid('repositoryName'),
    ],
    [
      'a repository name with a path in it',
      'InitiateLayerUpload',
      json({ repositoryName: '../b' }),
      invalid('repositoryName'),
    ],
    [
      'a registry id that is no account',
      'InitiateLayerUpload',
      json({ repositoryName: 'a/b', registryId: '12' }),
      invalid('registryId'),
    ],
    [
      'several wrong members, each named',
      'CompleteLayerUpload',
      { ...json({ repositoryName: '', layerDigests: [] }), path: { uploadId } },
      invalid('repositoryName', 'layerDigests'),
    ],
    [
      'over 100 digests',
      'BatchCheckLayerAvailability',
      json({ repositoryName: 'a/b', layerDigests: Array(101).fill(digest) }),
      invalid('layerDigests'),
    ],
    [
      'a digest that is no text',
      'BatchCheckLayerAvailability',
      json({ repositoryName: 'a/b', layerDigests: [7] }),
      invalid('layerDigests.0'),
    ],
    [
      'an empty manifest',
      'PutImage',
      json({ repositoryName: 'a/b', imageManifest: '' }),
      invalid('imageManifest'),
    ],
    [
      'a malformed image digest',
      'PutImage',
      json({ repositoryName: 'a/b', imageManifest: '{}', imageDigest: 'md5:1' }),
      invalid('imageDigest'),
    ],
    ['a raw part without Content-Range', 'UploadLayerPart', raw(10), invalid('Content-Range')],
    ['a raw part with another unit', 'UploadLayerPart', raw(10, 'octets 0-9/*'), invalid('Content-Range')],
    ['a raw part shorter than it says', 'UploadLayerPart', raw(9, 'bytes 0-9/*'), invalid('partLastByte')],
    ['a raw part without bytes', 'UploadLayerPart', raw(0, 'bytes 0-0/*'), invalid('body')],
    [
      'a part from its last byte to its first',
      'UploadLayerPart',
      raw(10, 'bytes 9-0/*'),
      invalid('partLastByte'),
    ],
    [
      'a blob that is not base64',
      'UploadLayerPart',
      {
        ...json({ repositoryName: 'a/b', partFirstByte: 0, partLastByte: 2, layerPartBlob: 'A*==' }),
        path: { uploadId },
      },
      invalid('layerPartBlob'),
    ],
    [
      'positions that are no whole numbers',
      'UploadLayerPart',
      {
        ...json({ repositoryName: 'a/b', partFirstByte: 0.5, partLastByte: '2', layerPartBlob: 'AQEB' }),
        path: { uploadId },
      },
      invalid('partFirstByte', 'partLastByte'),
    ],
    [
      'a member that differs between path and body',
      'CompleteLayerUpload',
      { ...json({ repositoryName: 'a/b', uploadId: 'other', layerDigests: [digest] }), path: { uploadId } },
      invalid('uploadId'),
    ],
    [
      'a member given twice in the query',
      'InitiateLayerUpload',
      { ...json({}), query: { repositoryName: ['a/b', 'a/c'] } },
      invalid('repositoryName'),
    ],
    [
      'another content type',
      'InitiateLayerUpload',
      { headers: { 'content-type': 'text/plain' }, text: '{}' },
      { code: 'UnsupportedMediaTypeException' },
    ],
    [
      'raw bytes where only JSON goes',
      'PutImage',
      raw(10, 'bytes 0-9/*'),
      { code: 'UnsupportedMediaTypeException' },
    ],
  ])('refuses %s', async (_, operation, request, expected) => {
    expect(await faultsOf(operation, request)).toEqual(expected);
  });

  it('never quotes the body in its error', async () => {
    const failure: unknown = await call('InitiateLayerUpload', { text: 'layer-bytes{' }).catch(
      (e: unknown) => e,
    );
    expect(failure).toBeInstanceOf(ProxyError);
    expect(failure instanceof ProxyError && [failure.message, failure.cause].join()).not.toContain(
      'layer-bytes',
    );
  });
});
