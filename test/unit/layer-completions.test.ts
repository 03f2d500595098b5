// Completions of paired and of direct uploads, at the code as deployed: what waits is sent, and a lost answer is found again.

import { describe, expect, it } from 'vitest';
import type { PartSending } from '../../lambda/upload/seal.ts';
import {
  openForwarding,
  proxyErrorFrom,
  registryId,
  repositoryName,
  serviceError,
  uploadId,
} from '../support/forwarding.ts';

const complete = 'CompleteLayerUpload';
const check = 'BatchCheckLayerAvailability';
const put = 'PutObject';
const get = 'GetObject';
const part = 'UploadLayerPart';

const another = `sha256:${'a'.repeat(64)}`;

/** The answer is lost: ECR has completed the upload. */
const lost = () => serviceError('ServerException', 500);

const forgotten = (attempts = 1) => serviceError('UploadNotFoundException', 400, attempts);

async function openWith(layerBytes: number, ...parts: number[]) {
  const upload = openForwarding({ layerBytes });
  await upload.send(...parts);
  upload.calls();
  return upload;
}

describe('the completion of a paired upload', () => {
  it('sends what waits, notes the digests, and answers with what ECR does', async () => {
    const upload = await openWith(12, 0, 1, 2);
    expect(await upload.complete()).toEqual({
      ...{ registryId, repositoryName, uploadId: upload.sealedUploadId, layerDigest: upload.digest },
    });
    expect(upload.sent[1]).toMatchObject({ input: { uploadId, partFirstByte: 8, partLastByte: 11 } });
    expect(upload.sent.at(-1)).toMatchObject({
      input: { registryId, repositoryName, uploadId, layerDigests: [upload.digest] },
    });
    expect(upload.slot()).toEqual({
      'received-bytes': '12',
      'waiting-bytes': '0',
      completion: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(upload.calls()).toEqual([get, part, put, complete]);
  });

  it('of which nothing waits sends nothing, and keeps how many bytes ECR has', async () => {
    const upload = await openWith(8, 0, 1);
    await upload.complete();
    expect(upload.calls()).toEqual([get, put, complete]);
    expect(upload.slot()).toMatchObject({ 'received-bytes': '8', 'waiting-bytes': '0' });
  });

  it('notes the digests also where nothing was ever staged', async () => {
    const upload = await openWith(3, 0);
    await upload.complete();
    expect(upload.sent[1]).toMatchObject({ input: { IfNoneMatch: '*' } });
    expect(upload.slot()).toMatchObject({ 'received-bytes': '0', completion: expect.any(String) });
  });

  it('passes by a slot whose bytes ECR has, and notes what ECR has', async () => {
    const upload = await openWith(8, 0);
    upload.fail(put, serviceError('SlowDown', 503));
    await upload.send(1);
    await upload.complete();
    expect(upload.slot()).toMatchObject({ 'received-bytes': '8', 'waiting-bytes': '0' });
  });

  it('goes on although its note fails, which is logged', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(put, serviceError('SlowDown', 503));
    expect(await upload.complete()).toMatchObject({ layerDigest: upload.digest });
    expect(upload.warn).toHaveBeenCalledOnce();
  });

  it('fails as ECR does, and is not noted any more', async () => {
    const upload = await openWith(8, 0, 1);
    await expect(upload.complete([another])).rejects.toMatchObject({ name: 'InvalidLayerException' });
    expect(upload.calls()).toEqual([get, put, complete, get, put]);
    expect(upload.slot()).toEqual({ 'received-bytes': '8', 'waiting-bytes': '0' });
    expect(await upload.complete()).toMatchObject({ layerDigest: upload.digest });
  });

  it('that is refused is not noted where it was not, which is no fault', async () => {
    const upload = await openWith(3, 0);
    upload.fail(put, serviceError('SlowDown', 503));
    await expect(upload.complete([another])).rejects.toMatchObject({ name: 'InvalidLayerException' });
    expect(upload.warn.mock.calls.map(([message]) => message)).toEqual([
      'the state of an upload was not staged',
    ]);
  });

  it('that is refused stays noted where S3 fails, which is logged', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(put, serviceError('SlowDown', 503), { passes: 1 });
    await expect(upload.complete([another])).rejects.toMatchObject({ name: 'InvalidLayerException' });
    expect(upload.warn.mock.calls).toEqual([
      [
        'what an upload was completed with was not staged',
        expect.objectContaining({ code: 'ThrottlingException' }),
      ],
    ]);
  });

  it('stays noted however often it fails', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost(), { times: 2 });
    await expect(upload.complete()).rejects.toThrow();
    const { completion } = upload.slot() ?? {};
    await expect(upload.complete()).rejects.toThrow();
    expect(upload.slot()).toMatchObject({ completion });
    upload.calls();
    await upload.complete();
    expect(upload.calls()).toEqual([get, complete]);
  });

  it('stays noted after a failure that may have come after the work', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost());
    await expect(upload.complete()).rejects.toMatchObject({ name: 'ServerException' });
    expect(upload.calls()).toEqual([get, put, complete]);
    expect(upload.slot()).toMatchObject({ completion: expect.any(String) });
  });

  it('stays noted after a refusal that may be the answer to a retry', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, serviceError('InvalidLayerException', 400, 2));
    await expect(upload.complete()).rejects.toMatchObject({ name: 'InvalidLayerException' });
    expect(upload.slot()).toMatchObject({ completion: expect.any(String) });
  });

  it('takes the place of an earlier one that other digests may have completed, once it has succeeded', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost());
    await expect(upload.complete([another])).rejects.toThrow();
    const { completion: before } = upload.slot() ?? {};
    upload.calls();
    upload.fail(complete, lost(), { after: true });
    await expect(upload.complete()).rejects.toMatchObject({ name: 'ServerException' });
    // Either of the two may have been carried out.
    expect(upload.calls()).toEqual([get, complete, get, put]);
    expect(upload.slot()).not.toHaveProperty('completion');
    expect(before).toBeDefined();
  });

  it('is noted in the place of an earlier one', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost());
    await expect(upload.complete([another])).rejects.toThrow();
    const { completion: before } = upload.slot() ?? {};
    upload.calls();
    await upload.complete();
    expect(upload.calls()).toEqual([get, complete, get, put]);
    expect(upload.slot()).toMatchObject({ 'received-bytes': '8', completion: expect.any(String) });
    expect(upload.slot()?.completion).not.toBe(before);
  });
});

describe('a completion that is sent again after its answer was lost', () => {
  it('is answered as the first would have been', async () => {
    const upload = await openWith(12, 0, 1, 2);
    upload.fail(complete, lost(), { after: true });
    await expect(upload.complete()).rejects.toThrow();
    upload.calls();
    expect(await upload.complete()).toEqual({
      ...{ registryId, repositoryName, uploadId: upload.sealedUploadId, layerDigest: upload.digest },
    });
    expect(upload.sent.at(-1)).toMatchObject({
      input: { registryId, repositoryName, layerDigests: [upload.digest] },
    });
    expect(upload.calls()).toEqual([get, complete, check]);
    expect(await upload.complete()).toMatchObject({ layerDigest: upload.digest });
  });

  it('is the same whatever the order of its digests, and however often each is named', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost(), { after: true });
    await expect(upload.complete([upload.digest, another])).rejects.toThrow();
    expect(await upload.complete([another, upload.digest])).toMatchObject({ layerDigest: upload.digest });
  });

  it('names each digest once to ECR', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost(), { after: true });
    await expect(upload.complete([upload.digest, upload.digest])).rejects.toThrow();
    upload.answers.set(check, {
      layers: [{ layerAvailability: 'AVAILABLE', layerDigest: upload.digest }],
    });
    await upload.complete([upload.digest, upload.digest]);
    expect(upload.sent.at(-1)).toMatchObject({ input: { layerDigests: [upload.digest] } });
  });

  it('is found when it was the SDK that sent it again', async () => {
    const upload = await openWith(3, 0);
    upload.fail(put, serviceError('SlowDown', 503));
    upload.fail(complete, forgotten(2), { after: true });
    expect(await upload.complete()).toMatchObject({ layerDigest: upload.digest });
  });

  it('is another completion with other digests: the layer exists, and whose it is is not known', async () => {
    const upload = await openWith(8, 0, 1);
    await upload.complete();
    expect(await proxyErrorFrom(upload.complete([upload.digest, another]))).toMatchObject({
      code: 'LayerAlreadyExistsException',
      message:
        `The layer ${upload.digest} exists already. It is not known whether this upload made it: ` +
        'the upload was completed, or has expired.',
    });
  });

  it('is not answered where several of its digests are layers', async () => {
    const upload = await openWith(8, 0, 1);
    const both = [upload.digest, another];
    upload.fail(complete, lost(), { after: true });
    await expect(upload.complete(both)).rejects.toThrow();
    const layers = both.map((layerDigest) => ({ layerDigest, layerAvailability: 'AVAILABLE' }));
    upload.answers.set(check, { layers });
    expect((await proxyErrorFrom(upload.complete(both))).code).toBe('LayerAlreadyExistsException');
  });

  it('that other digests may have come before is not told by a retry of the SDK alone', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost());
    await expect(upload.complete([another])).rejects.toThrow();
    const { completion } = upload.slot() ?? {};
    upload.fail(complete, forgotten(2));
    await expect(upload.complete()).rejects.toMatchObject({ name: 'UploadNotFoundException' });
    expect(upload.slot()).toMatchObject({ completion });
    upload.fail(complete, forgotten(2), { after: true });
    expect((await proxyErrorFrom(upload.complete())).code).toBe('LayerAlreadyExistsException');
    expect(upload.slot()).toMatchObject({ completion });
  });

  it('is found beside a layer that has no digest', async () => {
    const upload = await openWith(8, 0, 1);
    upload.fail(complete, lost(), { after: true });
    await expect(upload.complete()).rejects.toThrow();
    const layers = [{}, { layerDigest: upload.digest }].map((one) => ({
      ...one,
      layerAvailability: 'AVAILABLE',
    }));
    upload.answers.set(check, { layers });
    expect(await upload.complete()).toMatchObject({ layerDigest: upload.digest });
  });

  it.each<[string, (digest: string) => object]>([
    ['it is not', (layerDigest) => ({ layers: [{ layerDigest, layerAvailability: 'UNAVAILABLE' }] })],
    ['another one is, without a digest', () => ({ layers: [{ layerAvailability: 'AVAILABLE' }] })],
    ['it is no digest', (layerDigest) => ({ layers: [], failures: [{ layerDigest }] })],
  ])('is of an unknown upload where none of its digests is a layer: %s', async (_which, answerOf) => {
    const upload = await openWith(8, 0, 1);
    upload.answers.set(check, answerOf(upload.digest));
    upload.fail(complete, forgotten());
    await expect(upload.complete()).rejects.toMatchObject({ name: 'UploadNotFoundException' });
  });

  it.each([
    [{ layers: [] }],
    [{}],
    [{ layers: [{ layerDigest: another, layerAvailability: 'UNAVAILABLE' }] }],
  ])('may be complete where ECR does not say whether one of its digests is: %j', async (answer) => {
    const upload = await openWith(8, 0, 1);
    upload.answers.set(check, answer);
    upload.fail(complete, forgotten());
    expect((await proxyErrorFrom(upload.complete())).code).toBe('ServerException');
  });

  it('is not the same as one that ECR has refused', async () => {
    const upload = await openWith(8, 0, 1);
    await upload.complete();
    upload.s3.objects.clear();
    // As after a deployment that notes nothing, or where the note failed.
    expect((await proxyErrorFrom(upload.complete())).code).toBe('LayerAlreadyExistsException');
    expect(upload.slot()).not.toHaveProperty('completion');
  });

  it('leaves what another request has noted in the meantime', async () => {
    const upload = await openWith(8, 0, 1);
    const first = await upload.complete();
    const { completion } = upload.slot() ?? {};
    expect((await proxyErrorFrom(upload.complete([another, upload.digest]))).code).toBe(
      'LayerAlreadyExistsException',
    );
    expect(upload.slot()).toMatchObject({ completion });
    expect(await upload.complete()).toEqual(first);
  });
});

describe('the completion of a direct upload', () => {
  const sending: PartSending = 'direct';

  async function openDirect() {
    const upload = openForwarding({ layerBytes: 8, sending });
    await upload.sendPart({ partFirstByte: 0, partLastByte: 7 });
    upload.calls();
    return upload;
  }

  it('asks ECR alone', async () => {
    const upload = await openDirect();
    expect(await upload.complete()).toEqual({
      ...{ registryId, repositoryName, uploadId: upload.sealedUploadId, layerDigest: upload.digest },
    });
    expect(upload.sent[0]).toMatchObject({
      input: { registryId, repositoryName, uploadId, layerDigests: [upload.digest] },
    });
    expect(upload.calls()).toEqual([complete]);
  });

  it('fails as ECR does', async () => {
    const upload = await openDirect();
    await expect(upload.complete([another])).rejects.toMatchObject({ name: 'InvalidLayerException' });
    expect(upload.calls()).toEqual([complete]);
  });

  it('is found again where the client says that it is repeated, and not otherwise', async () => {
    const upload = await openDirect();
    const first = await upload.complete();
    expect((await proxyErrorFrom(upload.complete())).code).toBe('LayerAlreadyExistsException');
    expect(await upload.complete([upload.digest], true)).toEqual(first);
  });

  it('is found where it was the SDK that sent it again', async () => {
    const upload = await openDirect();
    upload.fail(complete, forgotten(2), { after: true });
    expect(await upload.complete()).toMatchObject({ layerDigest: upload.digest });
  });
});
