// The stand-in's faults and request counts, by which tests of the project break ECR and watch what is asked of it.

import * as ecrModule from '@aws-sdk/client-ecr';
import * as ecrPublicModule from '@aws-sdk/client-ecr-public';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { part, rawCall, startStandIn } from '../support/ecr-stand-in.ts';
import { randomBytes } from '../support/random-bytes.ts';

const standIn = await startStandIn();
afterAll(() => standIn.remove());
beforeEach(async () => {
  await control('DELETE', '_faults');
  await control('DELETE', '_requests');
});

const repositoryName = 'team/app';

async function control(method: string, path: string, body?: object) {
  const response = await fetch(`${standIn.url}/${path}`, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: await response.json() };
}

const arm = (fault: object) => control('POST', '_faults', fault);
const initiate = () => standIn.ecr.initiateLayerUpload({ repositoryName });
const initiatePublic = () => standIn.ecrPublic.initiateLayerUpload({ repositoryName });
const caught = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('faults', () => {
  it.each([
    { fault: 'throttle', name: 'ThrottlingException', status: 400, message: 'Rate exceeded' },
    { fault: 'access-denied', name: 'AccessDeniedException', status: 400 },
    { fault: 'server-error', name: 'ServerException', status: 500 },
    { fault: 'kms-error', name: 'KmsException', status: 400, kmsError: 'DisabledException' },
  ])('$fault is answered as $name with $status, once', async ({ fault, status, ...members }) => {
    const armed = await arm({ fault });
    expect(armed).toEqual({ status: 201, body: [{ fault, times: 1, skip: 0 }] });
    expect(await caught(initiate())).toMatchObject({ ...members, $metadata: { httpStatusCode: status } });
    expect((await control('GET', '_faults')).body).toEqual([]);
    await initiate();
  });

  it('server-error and kms-error are the exceptions of the service model', async () => {
    await arm({ fault: 'server-error', times: 2 });
    expect(await caught(initiate())).toBeInstanceOf(ecrModule.ServerException);
    expect(await caught(initiatePublic())).toBeInstanceOf(ecrPublicModule.ServerException);
    await arm({ fault: 'kms-error' });
    expect(await caught(initiate())).toBeInstanceOf(ecrModule.KmsException);
  });

  it('limit is answered where ECR can answer it, and lets other calls pass', async () => {
    await arm({ fault: 'limit' });
    const { uploadId } = await initiate();
    const upload = { repositoryName, uploadId };
    const refused = await caught(standIn.ecr.uploadLayerPart({ ...upload, ...part(randomBytes(1)) }));
    expect(refused).toBeInstanceOf(ecrModule.LimitExceededException);
  });

  it('kms-error does not strike the public registry, which has no such error', async () => {
    await arm({ fault: 'kms-error' });
    await initiatePublic();
    expect((await control('GET', '_faults')).body).toHaveLength(1);
  });

  it('a fault for one operation lets the others pass', async () => {
    await arm({ fault: 'throttle', operation: 'UploadLayerPart' });
    const { uploadId } = await initiate();
    const send = () => standIn.ecr.uploadLayerPart({ repositoryName, uploadId, ...part(Buffer.from('abc')) });
    await expect(send()).rejects.toThrow('Rate exceeded');
    await send();
  });

  it('skip lets calls pass first, and times strikes that many', async () => {
    await arm({ fault: 'throttle', operation: 'InitiateLayerUpload', skip: 1, times: 2 });
    const outcomes = [];
    for (let call = 0; call < 4; call += 1) {
      outcomes.push(
        await initiate().then(
          () => 'ok',
          ({ name }) => name,
        ),
      );
    }
    expect(outcomes).toEqual(['ok', 'ThrottlingException', 'ThrottlingException', 'ok']);
  });

  it('delay waits and then works', async () => {
    await arm({ fault: 'delay', delayMs: 120 });
    const start = performance.now();
    await initiate();
    expect(performance.now() - start).toBeGreaterThan(115);
  });

  it('drop-before closes the connection before any work', async () => {
    const { uploadId } = await initiate();
    const upload = { repositoryName, uploadId };
    await arm({ fault: 'drop-before', operation: 'UploadLayerPart' });
    const send = () => standIn.ecr.uploadLayerPart({ ...upload, ...part(Buffer.from('abc')) });
    expect(await caught(send())).toMatchObject({ code: 'ECONNRESET' });
    expect(await send()).toMatchObject({ lastByteReceived: 2 });
  });

  it('drop-after closes the connection after the work, so that a retry meets its own part', async () => {
    const { uploadId } = await initiate();
    const upload = { repositoryName, uploadId };
    await arm({ fault: 'drop-after', operation: 'UploadLayerPart' });
    const send = () => standIn.ecr.uploadLayerPart({ ...upload, ...part(Buffer.from('abc')) });
    expect(await caught(send())).toMatchObject({ code: 'ECONNRESET' });
    expect(await caught(send())).toMatchObject({
      name: 'InvalidLayerPartException',
      lastValidByteReceived: 2,
    });
  });

  it('are all gone after DELETE', async () => {
    await arm({ fault: 'throttle', times: 9 });
    await arm({ fault: 'delay', delayMs: 1 });
    expect((await control('GET', '_faults')).body).toHaveLength(2);
    expect(await control('DELETE', '_faults')).toEqual({ status: 200, body: [] });
    await initiate();
  });

  it.each([
    { body: { fault: 'explode' }, says: 'drop-after' },
    { body: { fault: 'throttle', operation: 'DescribeImages' }, says: 'BatchCheckLayerAvailability' },
    { body: { fault: 'throttle', times: 0 }, says: 'times' },
    { body: { fault: 'throttle', tiems: 1 }, says: 'tiems' },
    { body: { fault: 'delay' }, says: 'delayMs' },
    { body: { fault: 'throttle', delayMs: 5 }, says: 'delayMs' },
    { body: { fault: 'limit', operation: 'InitiateLayerUpload' }, says: 'operation' },
    { body: { fault: 'kms-error', operation: 'BatchCheckLayerAvailability' }, says: 'operation' },
  ])('$body is refused, saying $says', async ({ body, says }) => {
    const answer = await arm(body);
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(says) } });
    expect((await control('GET', '_faults')).body).toEqual([]);
  });

  it('a body that is not JSON is refused', async () => {
    expect((await fetch(`${standIn.url}/_faults`, { method: 'POST', body: '{' })).status).toBe(400);
  });
});

describe('request counts', () => {
  it('are of nothing until something is asked, and again after DELETE', async () => {
    const nothing = { status: 200, body: { total: 0, operations: {} } };
    expect(await control('GET', '_requests')).toEqual(nothing);
    await initiate();
    expect(await control('DELETE', '_requests')).toEqual(nothing);
    expect(await control('GET', '_requests')).toEqual(nothing);
  });

  it('tell the registries apart, and count refused, struck and unknown calls too', async () => {
    await arm({ fault: 'drop-before' });
    await caught(initiate());
    await initiate();
    await initiatePublic();
    await rawCall(standIn.url, 'AmazonEC2ContainerRegistry_V20150921.PutImage', '{', { authorization: '' });
    await rawCall(standIn.url, 'Elsewhere.PutImage', '{}');
    expect((await control('GET', '_requests')).body).toEqual({
      total: 5,
      operations: {
        'ecr:InitiateLayerUpload': 2,
        'ecr-public:InitiateLayerUpload': 1,
        'ecr:PutImage': 1,
        unknown: 1,
      },
    });
  });
});
