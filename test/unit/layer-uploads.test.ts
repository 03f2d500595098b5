// How a layer is uploaded, over a proxy in memory: what is sent in which order, where it goes on, and what ends it.

import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { AdaptiveLimiter } from '../../client/adaptive-limiter.ts';
import { LayerProblem } from '../../client/layer-problem.ts';
import { LayerReader, type LayerSource } from '../../client/layer-reader.ts';
import { uploadLayer } from '../../client/layer-upload.ts';
import { PartBuffers } from '../../client/part-buffers.ts';
import type { ProxyProblem } from '../../client/problem.ts';
import { type LayerPush, Uploader, type UploaderOptions } from '../../client/uploader.ts';
import {
  notTheNext,
  proxyInMemory,
  type Reply,
  refusal,
  repositoryName,
} from '../support/proxy-in-memory.ts';

const P = 10;
const layer = Uint8Array.from({ length: 100 }, (_, at) => at + 1);
const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function* inChunks(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}
const once = (length: number): LayerSource => inChunks(layer.subarray(0, length));
const replayable =
  (length: number): LayerSource =>
  (fromByte) =>
    inChunks(layer.subarray(fromByte, length));

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error,
  );
}

/** The parts of a layer of `length` bytes as they are sent, from a byte on. */
const partsOf = (length: number, from = 0, uploadId = 'u1') =>
  Array.from({ length: Math.ceil((length - from) / P) }, (_, index) => {
    const first = from + index * P;
    return `${uploadId} ${first}-${Math.min(length, first + P) - 1}`;
  });
const completion = (length: number, uploadId = 'u1') =>
  `CompleteLayerUpload ${uploadId} ${digestOf(layer.subarray(0, length))}`;
const taken = (count: number): Reply[] => Array(count).fill('taken');

function upload(source: LayerSource, replies: readonly Reply[] = [], expected?: () => string | undefined) {
  const proxy = proxyInMemory(P, replies);
  const reader = new LayerReader(source);
  const told: (string | number)[] = [];
  const resumed: [ProxyProblem, number][] = [];
  const uploaded = uploadLayer({
    send: (operation, members) => proxy.client.send(operation, members),
    reader,
    destination: { repositoryName },
    expectedDigest: expected ?? (() => undefined),
    onBegun: () => void told.push('begun'),
    onProgress: (bytes) => void told.push(bytes),
    beforeResuming: async (problem, count) => void resumed.push([problem, count]),
  });
  return { ...proxy, uploaded, told, resumed, reader };
}

describe('a layer', () => {
  it.each([1, 9, 10, 11, 20, 35])('of %i bytes is sent part after part, and completed', async (length) => {
    const { uploaded, sent, told, arrived } = upload(once(length));
    const layerDigest = digestOf(layer.subarray(0, length));
    expect(await uploaded).toEqual({ layerDigest, bytes: length, outcome: 'pushed' });
    expect(sent).toEqual(['InitiateLayerUpload', ...partsOf(length), completion(length)]);
    expect(arrived()).toEqual(Buffer.from(layer.subarray(0, length)));
    const ends = partsOf(length).map((line) => Number(line.split('-')[1]) + 1);
    expect(told).toEqual(['begun', ...ends]);
  });

  it('of no bytes is refused, for ECR takes none such', async () => {
    const { uploaded, sent } = upload(once(0));
    expect(await failureOf(uploaded)).toEqual(
      new LayerProblem('EmptyLayer', 'the layer has no bytes, and ECR takes no layer without any'),
    );
    expect(sent).toEqual(['InitiateLayerUpload']);
  });

  it('is what the proxy says it is', async () => {
    const proxy = proxyInMemory(P, [], { CompleteLayerUpload: () => ({ layerDigest: 'as it says' }) });
    const pushed = await new Uploader(proxy.client).pushLayer({ repositoryName, source: once(3) });
    expect(pushed).toEqual({ layerDigest: 'as it says', bytes: 3, outcome: 'pushed', requests: 3 });
  });

  it('that ECR has by the time it is completed is there', async () => {
    const there = refusal('LayerAlreadyExistsException');
    const { uploaded } = upload(once(3), [...taken(2), there]);
    expect(await uploaded).toEqual({
      ...{ layerDigest: digestOf(layer.subarray(0, 3)), bytes: 3, outcome: 'alreadyThere' },
    });
  });

  it('whose completion is refused fails so', async () => {
    const refused = refusal('InvalidLayerException');
    const { uploaded, sent } = upload(once(3), [...taken(2), refused]);
    expect(await failureOf(uploaded)).toBe(refused);
    expect(sent.length).toBe(3);
  });

  it('is completed where it has the digest that is expected, which is asked for at its end', async () => {
    const asked = vi.fn(() => digestOf(layer.subarray(0, 3)));
    const source = (async function* () {
      yield layer.subarray(0, 3);
      expect(asked).not.toHaveBeenCalled();
    })();
    expect(await upload(source, [], asked).uploaded).toMatchObject({ outcome: 'pushed' });
    const { uploaded, sent } = upload(once(3), [], () => 'sha256:other');
    expect(await failureOf(uploaded)).toEqual(
      new LayerProblem(
        'DigestMismatch',
        `the layer read is ${digestOf(layer.subarray(0, 3))}, not sha256:other`,
      ),
    );
    expect(sent).toEqual(['InitiateLayerUpload', 'u1 0-2']);
  });

  it('whose upload is refused is not sent', async () => {
    const refused = refusal('AccessDeniedException');
    const { uploaded, told } = upload(once(3), [refused]);
    expect(await failureOf(uploaded)).toBe(refused);
    expect(told).toEqual([]);
  });
});

describe('an upload goes on where the proxy says', () => {
  const length = 35;
  const rows: [string, readonly Reply[], readonly string[], readonly number[]][] = [
    ['from the start', ['taken', notTheNext()], ['u1 0-9', ...partsOf(length)], [0, 10, 20, 30, 35]],
    [
      'one part back',
      ['taken', 'taken', notTheNext()],
      ['u1 0-9', 'u1 10-19', ...partsOf(length)],
      [10, 0, 10, 20, 30, 35],
    ],
    [
      'after the part, as its answer was lost',
      ['taken', notTheNext(9)],
      ['u1 0-9', ...partsOf(length, 10)],
      [10, 20, 30, 35],
    ],
    [
      'in the middle of a part',
      ['taken', 'taken', notTheNext(4)],
      ['u1 0-9', 'u1 10-19', ...partsOf(length, 5)],
      [10, 5, 15, 25, 35],
    ],
    [
      'at its completion',
      [...taken(5), notTheNext(19)],
      [...partsOf(length), completion(length), ...partsOf(length, 20)],
      [10, 20, 30, 35, 20, 30, 35],
    ],
    [
      'after a part that it took more or less of',
      ['taken', 'taken', { lastByteReceived: 14 }],
      ['u1 0-9', 'u1 10-19', ...partsOf(length, 15)],
      [10, 15, 25, 35],
    ],
  ];
  it.each(rows)('%s', async (_, replies, lines, progress) => {
    const { uploaded, sent, told, resumed } = upload(once(length), replies);
    expect(await uploaded).toMatchObject({ layerDigest: digestOf(layer.subarray(0, length)), bytes: length });
    expect(sent).toEqual(['InitiateLayerUpload', ...lines, completion(length)]);
    expect(told).toEqual(['begun', ...progress]);
    const problems = replies.filter((reply) => reply instanceof Error);
    expect(resumed).toEqual(problems.map((problem) => [problem, 1]));
  });

  it('as far back as a source can be opened', async () => {
    const { uploaded, arrived } = upload(replayable(50), [...taken(5), notTheNext()]);
    await uploaded;
    expect(arrived()).toEqual(Buffer.from(layer.subarray(0, 50)));
  });

  it('unless the stream has no such byte any more', async () => {
    const gone = notTheNext();
    const { uploaded } = upload(once(50), [...taken(4), gone]);
    expect(await failureOf(uploaded)).toEqual(
      new LayerProblem(
        'BytesGone',
        'the proxy asks to go on from byte 0, and the stream cannot be read again from there: push the layer again',
        gone,
      ),
    );
  });

  it('unless there is no such byte yet', async () => {
    const { uploaded } = upload(replayable(50), ['taken', { lastByteReceived: 30 }]);
    expect(await failureOf(uploaded)).toMatchObject({
      code: 'BytesGone',
      message:
        'the proxy asks to go on from byte 31, and the stream cannot be read again from there: push the layer again',
      cause: { code: 'BytesGone', message: 'the layer cannot be read again from byte 31' },
    });
  });

  it('unless the source itself fails', async () => {
    const broken = new Error('the disk is gone');
    const source: LayerSource = () => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: layer.subarray(0, 10) }),
        return: () => Promise.reject(broken),
      }),
    });
    const { uploaded } = upload(source, [...taken(4), notTheNext()]);
    expect(await failureOf(uploaded)).toBe(broken);
  });

  it('until it takes no part seven times in a row', async () => {
    const refused = notTheNext();
    const { uploaded, sent, resumed } = upload(once(3), ['taken', ...Array(9).fill(refused)]);
    expect(await failureOf(uploaded)).toEqual(
      new LayerProblem('NoProgress', 'the proxy takes no part after byte 0', refused),
    );
    expect(sent.length).toBe(8);
    expect(resumed.map(([, count]) => count)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('and taking the same part again is no progress', async () => {
    const refused = notTheNext();
    const replies = Array.from({ length: 9 }, () => ['taken', refused] as const).flat();
    const { uploaded, resumed } = upload(once(15), ['taken', ...replies]);
    expect(await failureOf(uploaded)).toMatchObject({
      ...{ code: 'NoProgress', message: 'the proxy takes no part after byte 10', cause: refused },
    });
    expect(resumed.map(([, count]) => count)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('and a part that is new begins the count again', async () => {
    const replies = Array.from({ length: 5 }, (_, part) => [
      ...[notTheNext(part * P - 1), notTheNext(part * P - 1)],
      'taken' as const,
    ]).flat();
    const { uploaded, resumed } = upload(once(50), ['taken', ...replies]);
    await uploaded;
    expect(resumed.map(([, count]) => count)).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
  });
});

describe('an upload that the proxy has lost', () => {
  const lost = refusal('UploadNotFoundException');

  it('is begun again, from the start of the layer', async () => {
    const { uploaded, sent, told, arrived } = upload(replayable(45), [...taken(4), lost]);
    await uploaded;
    expect(sent).toEqual([
      ...['InitiateLayerUpload', ...partsOf(40), 'InitiateLayerUpload'],
      ...[...partsOf(45, 0, 'u2'), completion(45, 'u2')],
    ]);
    expect(told).toEqual(['begun', 10, 20, 30, 0, 'begun', 10, 20, 30, 40, 45]);
    expect(arrived()).toEqual(Buffer.from(layer.subarray(0, 45)));
  });

  it('is begun again from a stream as long as its start is at hand', async () => {
    const { uploaded, sent } = upload(once(20), [...taken(3), lost]);
    await uploaded;
    expect(sent.at(-1)).toBe(completion(20, 'u2'));
  });

  it('cannot be begun again from a stream whose start is gone', async () => {
    const { uploaded } = upload(once(45), [...taken(4), lost]);
    expect(await failureOf(uploaded)).toEqual(
      new LayerProblem(
        'UploadLost',
        'the proxy no longer knows this upload, and the stream cannot be read again from its start: push the layer again',
        lost,
      ),
    );
  });

  it('is begun four times', async () => {
    const { uploaded, sent } = upload(
      once(3),
      Array.from({ length: 9 }, () => ['taken', lost] as const).flat(),
    );
    expect(await failureOf(uploaded)).toEqual(
      new LayerProblem('UploadLost', 'the proxy lost this upload 4 times', lost),
    );
    expect(sent.length).toBe(8);
  });
});

it('what cannot be pushed says why, and what led there', () => {
  const cause = new Error('cause');
  const problem = new LayerProblem('BytesGone', 'why', cause);
  expect(problem).toMatchObject({ name: 'LayerProblem', code: 'BytesGone', message: 'why', cause });
});

describe('an uploader', () => {
  const retry = { attempts: 4, baseMs: 0, capMs: 0, budgetMs: 60_000 };
  const busy = (members = {}) => refusal('ThrottlingException', { status: 429, retryable: true, ...members });

  function push(
    members: Partial<LayerPush>,
    replies: readonly Reply[] = [],
    {
      options = {},
      more = {},
      signal,
    }: { options?: UploaderOptions; more?: Parameters<typeof proxyInMemory>[2]; signal?: AbortSignal } = {},
  ) {
    const proxy = proxyInMemory(P, replies, more);
    const uploader = new Uploader({ ...proxy.client, signal }, { retry, ...options });
    return { ...proxy, pushed: uploader.pushLayer({ repositoryName, source: once(15), ...members }) };
  }

  it('counts every attempt, and sends each request again where that helps', async () => {
    const { pushed, sent } = push({}, [busy(), 'taken', busy(), busy(), 'taken']);
    expect(await pushed).toEqual({
      ...{ layerDigest: digestOf(layer.subarray(0, 15)), bytes: 15, outcome: 'pushed', requests: 7 },
    });
    expect(sent.length).toBe(7);
  });

  it('gives up after its attempts, and without options after ten', async () => {
    const four = push({}, Array(20).fill(busy()));
    expect(await failureOf(four.pushed)).toMatchObject({ code: 'ThrottlingException' });
    expect(four.sent.length).toBe(4);
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    const proxy = proxyInMemory(P, Array(20).fill(busy()));
    const pushed = new Uploader(proxy.client).pushLayer({ repositoryName, source: once(1) });
    expect(await failureOf(pushed)).toMatchObject({ code: 'ThrottlingException' });
    expect(proxy.sent.length).toBe(10);
    random.mockRestore();
  });

  it('tells what happens to whoever asks, and needs nobody to', async () => {
    const onBegun = vi.fn();
    const onProgress = vi.fn();
    await push({ onBegun, onProgress }).pushed;
    expect(onBegun).toHaveBeenCalledTimes(1);
    expect(onProgress.mock.calls).toEqual([[10], [15]]);
    await push({}).pushed;
  });

  it('keeps to a pace that others share, and to buffers that they use', async () => {
    const limiter = new AdaptiveLimiter();
    const buffers = new PartBuffers();
    const [run, take, giveBack] = [
      vi.spyOn(limiter, 'run'),
      vi.spyOn(buffers, 'take'),
      vi.spyOn(buffers, 'giveBack'),
    ];
    const { pushed, sent } = push({}, [], { options: { limiter, buffers } });
    await pushed;
    expect(run).toHaveBeenCalledTimes(sent.length);
    expect(take).toHaveBeenCalledTimes(2);
    expect(giveBack).toHaveBeenCalledTimes(2);
  });

  it('resumes at once the first time, and after a growing pause from then on', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(1);
    const options = { retry: { ...retry, baseMs: 20, capMs: 60 } };
    const from = performance.now();
    await push({}, ['taken', notTheNext(), 'taken', 'taken', 'taken'], { options }).pushed;
    const resumed = performance.now() - from;
    await push({}, ['taken', notTheNext(), notTheNext(), notTheNext(), notTheNext()], { options }).pushed;
    expect(performance.now() - from - resumed).toBeGreaterThanOrEqual(40 + 60 + 60 - 5);
    random.mockRestore();
  });

  it.each(['pushed', 'refused'])('lets go of the source when the layer is %s', async (outcome) => {
    const released = vi.fn();
    const source = (async function* () {
      try {
        for (let at = 0; at < 60; at += 10) {
          yield layer.subarray(at, at + 10);
        }
      } finally {
        released();
      }
    })();
    const refused = refusal('AccessDeniedException');
    const { pushed } = push({ source }, outcome === 'pushed' ? [] : ['taken', 'taken', refused]);
    if (outcome === 'refused') {
      expect(await failureOf(pushed)).toBe(refused);
    }
    await pushed.catch(() => {});
    expect(released).toHaveBeenCalledTimes(1);
  });
});

describe('a layer whose digest is known', () => {
  const layerDigest = digestOf(layer.subarray(0, 15));
  const found = (...layers: { layerDigest: string; layerAvailability: string; layerSize?: number }[]) => ({
    more: { BatchCheckLayerAvailability: () => ({ layers, failures: [] }) },
  });
  const available = { layerDigest, layerAvailability: 'AVAILABLE', layerSize: 15 };

  function push(members: Partial<LayerPush>, { more }: ReturnType<typeof found>) {
    const proxy = proxyInMemory(P, [], more);
    const uploader = new Uploader(proxy.client);
    const pushed = uploader.pushLayer({ repositoryName, source: once(15), layerDigest, ...members });
    return { ...proxy, uploader, pushed };
  }

  it('is asked after, and where it is there its source is not opened', async () => {
    const source = vi.fn();
    const { pushed, sent } = push({ source }, found({ ...available, layerDigest: 'sha256:x' }, available));
    expect(await pushed).toEqual({ layerDigest, bytes: 0, outcome: 'alreadyThere', requests: 1 });
    expect(sent).toEqual([`BatchCheckLayerAvailability ${layerDigest}`]);
    expect(source).not.toHaveBeenCalled();
  });

  it.each([
    [[]],
    [[{ ...available, layerAvailability: 'UNAVAILABLE' }]],
    [[{ ...available, layerDigest: 'sha256:x' }]],
  ])('is sent where ECR says %j', async (layers) => {
    const { pushed } = push({}, found(...layers));
    expect(await pushed).toMatchObject({ outcome: 'pushed', bytes: 15, requests: 5 });
  });

  it('is not completed where it turns out to be another', async () => {
    expect(await failureOf(push({ source: once(14) }, found()).pushed)).toMatchObject({
      code: 'DigestMismatch',
    });
  });

  it.each([
    [15, 15],
    [undefined, 15],
    [15, undefined],
  ])('is there with %s bytes where %s are expected', async (layerSize, expected) => {
    const there = {
      layerDigest,
      layerAvailability: 'AVAILABLE',
      ...(layerSize !== undefined && { layerSize }),
    };
    const { pushed } = push({ layerSize: expected }, found(there));
    expect(await pushed).toMatchObject({ outcome: 'alreadyThere' });
  });

  it('is refused where ECR has it with another size', async () => {
    expect(await failureOf(push({ layerSize: 16 }, found(available)).pushed)).toEqual(
      new LayerProblem('SizeMismatch', `ECR has ${layerDigest} with 15 bytes, not 16`),
    );
  });

  it('can be asked after alone', async () => {
    const { uploader } = push({}, found(available));
    expect(await uploader.findLayer({ repositoryName, layerDigest })).toEqual(available);
    const { uploader: other } = push({}, found());
    expect(await other.findLayer({ repositoryName, layerDigest })).toBeUndefined();
  });
});

describe('an image', () => {
  const members = { repositoryName, imageManifest: '{"schemaVersion":2}', imageTag: '1.0' };
  const imageDigest = digestOf(members.imageManifest);
  const put = (imageId: { imageDigest?: string }, ...replies: Reply[]) => {
    const proxy = proxyInMemory(P, replies, { PutImage: () => ({ image: { imageId } }) });
    return new Uploader(proxy.client, { retry: { baseMs: 0 } }).putImage(members);
  };

  it('is put, under the digest that ECR says, or that it has', async () => {
    const says = put({ imageDigest: 'sha256:as-it-says' });
    expect(await says).toEqual({ imageDigest: 'sha256:as-it-says', outcome: 'pushed', requests: 1 });
    expect(await put({})).toEqual({ imageDigest, outcome: 'pushed', requests: 1 });
  });

  it('that is there already is no failure, and anything else is', async () => {
    const there = put({}, refusal('ImageAlreadyExistsException'));
    expect(await there).toEqual({ imageDigest, outcome: 'alreadyThere', requests: 1 });
    const refused = refusal('LayersNotFoundException');
    expect(await failureOf(put({}, refused))).toBe(refused);
  });
});

describe('a signal', () => {
  const reason = new Error('enough');
  const waiting = refusal('ThrottlingException', { status: 503, retryable: true, retryAfterSeconds: 600 });

  it.each(['of the push', 'of the client'])('%s ends what waits', async (whose) => {
    const controller = new AbortController();
    const proxy = proxyInMemory(P, [waiting]);
    const isOwn = whose === 'of the push';
    const client = { ...proxy.client, signal: isOwn ? new AbortController().signal : controller.signal };
    const signal = isOwn ? controller.signal : new AbortController().signal;
    const options = { retry: { budgetMs: 3_600_000 } };
    for (const only of [false, true]) {
      const uploader = new Uploader(only && isOwn ? proxy.client : client, options);
      const sending = uploader.send(
        'InitiateLayerUpload',
        { repositoryName },
        only && !isOwn ? undefined : signal,
      );
      setImmediate(() => controller.abort(reason));
      expect(await failureOf(sending)).toBe(reason);
    }
  });

  it('goes with every request', async () => {
    const { client, signals } = proxyInMemory(P);
    const { signal } = new AbortController();
    const uploader = new Uploader(client);
    await uploader.pushLayer({ repositoryName, source: once(3), signal });
    expect(signals).toEqual([signal, signal, signal]);
    await uploader.send('InitiateLayerUpload', { repositoryName });
    expect(signals.at(-1)).toBeUndefined();
  });

  it('ends the pause before a resumption', async () => {
    const controller = new AbortController();
    const proxy = proxyInMemory(P, ['taken', notTheNext(), notTheNext()]);
    const uploader = new Uploader(proxy.client, { retry: { baseMs: 600_000, capMs: 600_000 } });
    const { signal } = controller;
    const pushed = uploader.pushLayer({ repositoryName, source: once(3), signal });
    await vi.waitFor(() => expect(proxy.sent.length).toBe(3));
    controller.abort(reason);
    expect(await failureOf(pushed)).toBe(reason);
  });
});
