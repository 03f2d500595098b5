// The uploader against a scripted resource API: what it sends, in which order, and how it goes on after failures.

import { describe, expect, it } from 'vitest';
import type { LayerSource } from '../../client/layer-reader.ts';
import { ProxyClient } from '../../client/proxy-client.ts';
import { type LayerPush, Uploader } from '../../client/uploader.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import {
  availability,
  begin,
  completion,
  notTheNext,
  part,
  partsOf,
  problem,
  repositoryName,
} from '../support/scenes.ts';
import { playScript, type Reply, type Scene, type ScriptedApi } from '../support/scripted-api.ts';

const P = 1_000;
const token = 'eup_team-a-ci_s3cr3t';
const retry = { attempts: 4, baseMs: 1, capMs: 5, budgetMs: 5_000 };

function layer(length: number) {
  const bytes = randomBytes(length);
  return { bytes, digest: digestOf(bytes) };
}

async function* inChunks(bytes: Uint8Array, size = 333): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
  }
}

const once = (bytes: Uint8Array): LayerSource => inChunks(bytes);
const replayable =
  (bytes: Uint8Array): LayerSource =>
  (fromByte) =>
    inChunks(bytes.subarray(fromByte));

/** What `play` has played last. */
let api: ScriptedApi;
async function play(scenes: Scene[], push: Omit<LayerPush, 'repositoryName'>, timeoutMs = 60_000) {
  api = await playScript(scenes);
  const client = new ProxyClient({ endpoint: api.url, token, timeoutMs });
  return new Uploader(client, { retry }).pushLayer({ repositoryName, ...push });
}

const arrived = () =>
  Buffer.concat([...api.parts].sort(([one], [other]) => one - other).map(([, bytes]) => bytes));

describe('a layer is cut into parts', () => {
  it.each([1, P - 1, P, P + 1, 2 * P - 1, 2 * P, 2 * P + 1, 3 * P])('of %i bytes', async (length) => {
    const { bytes, digest } = layer(length);
    const acknowledged: number[] = [];
    const scenes = [begin(P), ...partsOf(length, P), completion(digest)];
    const pushed = await play(scenes, { source: once(bytes), onProgress: (to) => acknowledged.push(to) });
    expect(pushed).toEqual({
      layerDigest: digest,
      bytes: length,
      outcome: 'pushed',
      requests: scenes.length,
    });
    expect(arrived().equals(bytes)).toBe(true);
    expect(acknowledged.at(-1)).toBe(length);
    expect(acknowledged).toEqual([...acknowledged].sort((one, other) => one - other));
  });

  it('unless it has no bytes', async () => {
    const empty = play([begin(P)], { source: once(Buffer.alloc(0)) });
    await expect(empty).rejects.toMatchObject({ name: 'LayerProblem', code: 'EmptyLayer' });
  });
});

describe('a part is sent again', () => {
  const passing: [string, Reply][] = [
    ['a dropped connection', 'drop the connection'],
    ['an answer cut off', 'drop amid the answer'],
    ['no answer in time', 'never answer'],
    ['throttling', problem(429, 'ThrottlingException', {}, { 'retry-after': '0' })],
    ['a failure of the registry', problem(502, 'ServerException')],
    ['a registry out of reach', problem(503, 'ServiceUnavailableException')],
    ['a registry too slow', problem(504, 'GatewayTimeoutException')],
    ["API Gateway's own 429", { status: 429, body: { message: 'Too Many Requests' } }],
    ["API Gateway's own 504", { status: 504, body: { message: 'Endpoint request timed out' } }],
  ];
  it.each(passing)('after %s', async (_, reply) => {
    const { bytes, digest } = layer(2 * P + 1);
    const [first, ...others] = partsOf(bytes.length, P);
    const scenes = [begin(P), part(0, P - 1, reply), first ?? begin(P), ...others, completion(digest)];
    await play(scenes, { source: once(bytes) }, reply === 'never answer' ? 3_000 : undefined);
    expect(arrived().equals(bytes)).toBe(true);
  });

  it('but not after a quota is used up, for all that its status is 429', async () => {
    const limit = problem(
      429,
      'LimitExceededException',
      { detail: 'too many images' },
      { 'retry-after': '60' },
    );
    const refused = play([begin(P), part(0, 0, limit)], { source: once(layer(1).bytes) });
    await expect(refused).rejects.toMatchObject({ status: 429, detail: 'too many images', retryable: false });
  });

  it('no sooner than Retry-After says', async () => {
    const { bytes, digest } = layer(1);
    const throttled = problem(429, 'ThrottlingException', {}, { 'retry-after': '1' });
    const scenes = [begin(P), part(0, 0, throttled), part(0, 0), completion(digest)];
    const started = performance.now();
    await play(scenes, { source: once(bytes) });
    expect(performance.now() - started).toBeGreaterThanOrEqual(1_000);
  });

  it('until the attempts are used up', async () => {
    const scenes = [
      begin(P),
      ...Array.from({ length: 4 }, () => part(0, 0, problem(502, 'ServerException'))),
    ];
    const refused = play(scenes, { source: once(layer(1).bytes) });
    await expect(refused).rejects.toMatchObject({
      name: 'ProxyProblem',
      status: 502,
      code: 'ServerException',
    });
  });

  it('never after a refusal', async () => {
    const refusal = problem(403, 'AccessDeniedException', { detail: 'policy0: not yours' });
    const refused = play([{ ...begin(P), reply: refusal }], { source: once(layer(1).bytes) });
    await expect(refused).rejects.toMatchObject({
      status: 403,
      detail: 'policy0: not yours',
      requestId: 'r-1',
    });
  });
});

describe('an upload goes on from the byte the proxy names', () => {
  const length = 3 * P + 7;
  const rows: [string, (digest: string) => Scene[]][] = [
    [
      'one part back, from a stream',
      (digest) => [
        begin(P),
        part(0, P - 1),
        part(P, 2 * P - 1, notTheNext()),
        ...partsOf(length, P),
        completion(digest),
      ],
    ],
    [
      'at the part it refused',
      (digest) => [begin(P), part(0, P - 1, notTheNext()), ...partsOf(length, P), completion(digest)],
    ],
    [
      'two parts back, at completion',
      (digest) => [
        begin(P),
        ...partsOf(length, P),
        completion(digest, notTheNext(2 * P - 1)),
        ...partsOf(length, P, 2 * P),
        completion(digest),
      ],
    ],
    [
      'after the part, where only the answer was lost',
      (digest) => [begin(P), part(0, P - 1, notTheNext(P - 1)), ...partsOf(length, P, P), completion(digest)],
    ],
    [
      'forward again, after it went back too far',
      (digest) => [
        begin(P),
        part(0, P - 1),
        part(P, 2 * P - 1, notTheNext()),
        part(0, P - 1, notTheNext(2 * P - 1)),
        ...partsOf(length, P, 2 * P),
        completion(digest),
      ],
    ],
    [
      'in the middle of a part',
      (digest) => [
        begin(P),
        part(0, P - 1),
        part(P, 2 * P - 1, notTheNext(499)),
        ...partsOf(length, P, 500),
        completion(digest),
      ],
    ],
  ];
  it.each(rows)('%s', async (_, scenes) => {
    const { bytes, digest } = layer(length);
    const pushed = await play(scenes(digest), { source: once(bytes) });
    expect(pushed).toMatchObject({ layerDigest: digest, bytes: length });
  });

  it('as far back as a replayable source reaches', async () => {
    const { bytes, digest } = layer(5 * P);
    const scenes = [
      begin(P),
      ...partsOf(4 * P, P),
      part(4 * P, 5 * P - 1, notTheNext()),
      ...partsOf(5 * P, P),
      completion(digest),
    ];
    await play(scenes, { source: replayable(bytes) });
    expect(arrived().equals(bytes)).toBe(true);
  });

  it('and says so where a stream no longer has the byte', async () => {
    const scenes = [begin(P), ...partsOf(3 * P, P), part(3 * P, 4 * P - 1, notTheNext())];
    const gone = play(scenes, { source: once(layer(4 * P).bytes) });
    await expect(gone).rejects.toMatchObject({ code: 'BytesGone', cause: { status: 416 } });
  });

  it('and gives up where no part is ever taken', async () => {
    const scenes = [begin(P), ...Array.from({ length: 7 }, () => part(0, 0, notTheNext()))];
    await expect(play(scenes, { source: once(layer(1).bytes) })).rejects.toMatchObject({
      code: 'NoProgress',
    });
  });
});

describe('an upload that the proxy lost', () => {
  const lost = problem(404, 'UploadNotFoundException');
  it('is started again from a replayable source', async () => {
    const { bytes, digest } = layer(4 * P);
    const scenes = [
      begin(P),
      ...partsOf(3 * P, P),
      part(3 * P, 4 * P - 1, lost),
      begin(P, 'u2'),
      ...partsOf(4 * P, P, 0, 'u2'),
      completion(digest, undefined, 'u2'),
    ];
    await play(scenes, { source: replayable(bytes) });
    expect(arrived().equals(bytes)).toBe(true);
  });

  it('is started again from a stream whose start is still at hand, also at completion', async () => {
    const { bytes, digest } = layer(2 * P);
    const scenes = [
      begin(P),
      ...partsOf(2 * P, P),
      completion(digest, lost),
      begin(P, 'u2'),
      ...partsOf(2 * P, P, 0, 'u2'),
      completion(digest, undefined, 'u2'),
    ];
    await play(scenes, { source: once(bytes) });
  });

  it('is a clear error where the start of the stream is gone', async () => {
    const scenes = [begin(P), ...partsOf(3 * P, P), part(3 * P, 4 * P - 1, lost)];
    const gone = play(scenes, { source: once(layer(4 * P).bytes) });
    await expect(gone).rejects.toMatchObject({
      code: 'UploadLost',
      message: expect.stringContaining('push the layer again'),
    });
  });

  it('fails after four attempts from the start', async () => {
    const scenes = Array.from({ length: 4 }, () => [begin(P), part(0, 0, lost)]).flat();
    await expect(play(scenes, { source: once(layer(1).bytes) })).rejects.toMatchObject({
      code: 'UploadLost',
    });
  });
});

describe('a layer that is there already', () => {
  it('is not read, let alone sent', async () => {
    const { digest } = layer(P);
    const source = () => {
      throw new Error('was read');
    };
    const pushed = await play([availability(digest, 'AVAILABLE')], { source, layerDigest: digest });
    expect(pushed).toEqual({ layerDigest: digest, bytes: 0, outcome: 'alreadyThere', requests: 1 });
  });

  it.each(['UNAVAILABLE', 'ARCHIVED'] as const)('but %s is sent', async (state) => {
    const { bytes, digest } = layer(P);
    const scenes = [availability(digest, state), begin(P), ...partsOf(P, P), completion(digest)];
    expect(await play(scenes, { source: once(bytes), layerDigest: digest })).toMatchObject({
      outcome: 'pushed',
    });
  });

  it('by the time it is completed counts as pushed', async () => {
    const { bytes, digest } = layer(P);
    const there = problem(409, 'LayerAlreadyExistsException');
    const scenes = [begin(P), ...partsOf(P, P), completion(digest, there)];
    const pushed = await play(scenes, { source: once(bytes) });
    expect(pushed).toMatchObject({ layerDigest: digest, outcome: 'alreadyThere' });
  });
});

describe('a layer whose digest is known at its end', () => {
  it.each([
    ['is completed where it has that digest', true],
    ['is not completed where it has another', false],
  ])('%s', async (_, same) => {
    const { bytes, digest } = layer(P);
    let ended = false;
    const source = (async function* () {
      yield bytes;
      ended = true;
    })();
    const expectedDigest = () => (ended ? (same ? digest : `${digest.slice(0, -1)}x`) : undefined);
    const scenes = [begin(P), ...partsOf(P, P), ...(same ? [completion(digest)] : [])];
    const pushed = play(scenes, { source, expectedDigest });
    if (same) {
      expect(await pushed).toMatchObject({ outcome: 'pushed' });
    } else {
      await expect(pushed).rejects.toMatchObject({ code: 'DigestMismatch' });
    }
  });

  it('says when the proxy has let it begin, before a byte is asked for', async () => {
    const { bytes, digest } = layer(1);
    const order: string[] = [];
    const source = (async function* () {
      order.push('read');
      yield bytes;
    })();
    await play([begin(P), part(0, 0), completion(digest)], { source, onBegun: () => order.push('begun') });
    expect(order).toEqual(['begun', 'read']);
  });
});

describe('a source that is not what it should be', () => {
  it('with another digest than expected is not completed', async () => {
    const { digest } = layer(1);
    const scenes = [availability(digest, 'UNAVAILABLE'), begin(P), ...partsOf(P, P)];
    const differs = play(scenes, { source: once(layer(P).bytes), layerDigest: digest });
    await expect(differs).rejects.toMatchObject({ code: 'DigestMismatch' });
  });

  it('of another size than the layer of its digest that ECR has is refused, and nothing is sent', async () => {
    const { bytes, digest } = layer(2);
    const scenes = [availability(digest, 'AVAILABLE', 2)];
    const options = { source: once(bytes), layerDigest: digest };
    expect(await play(scenes, { ...options, layerSize: 2 })).toMatchObject({ outcome: 'alreadyThere' });
    await expect(play(scenes, { ...options, layerSize: 3 })).rejects.toMatchObject({
      code: 'SizeMismatch',
      message: `ECR has ${digest} with 2 bytes, not 3`,
    });
  });

  it('that fails ends the push with its own error', async () => {
    const broken = (async function* () {
      yield randomBytes(P + 1);
      throw new Error('the disk is gone');
    })();
    await expect(play([begin(P), part(0, P - 1)], { source: broken })).rejects.toThrow('the disk is gone');
  });

  it('is let go of when the push fails', async () => {
    let released = false;
    const source = (async function* () {
      try {
        for (;;) {
          yield randomBytes(P);
        }
      } finally {
        released = true;
      }
    })();
    const refusal = problem(404, 'RepositoryNotFoundException');
    const refused = play([begin(P), part(0, P - 1, refusal)], { source });
    await expect(refused).rejects.toMatchObject({ code: 'RepositoryNotFoundException' });
    expect(released).toBe(true);
  });
});

describe('an image', () => {
  const members = { repositoryName, imageManifest: '{"schemaVersion":2}', imageTag: 'demo' };
  const imageDigest = digestOf(members.imageManifest);
  const put = (reply: Reply): Scene => ({ request: 'PUT /ecr/images', json: members, reply });
  const image = { image: { repositoryName, imageId: { imageDigest, imageTag: 'demo' } } };

  it('is put, and put again after a lost answer', async () => {
    const api = await playScript([
      put('drop the connection'),
      put(problem(409, 'ImageAlreadyExistsException')),
      put({ status: 201, body: image }),
    ]);
    const uploader = new Uploader(new ProxyClient({ endpoint: api.url, token }), { retry });
    expect(await uploader.putImage(members)).toEqual({ imageDigest, outcome: 'alreadyThere', requests: 2 });
    expect(await uploader.putImage(members)).toEqual({ imageDigest, outcome: 'pushed', requests: 1 });
  });
});

describe('a push that is aborted while it waits', () => {
  const throttled = problem(429, 'ThrottlingException', {}, { 'retry-after': '30' });
  const reason = new Error('enough');
  it.each(['by its own signal', "by the client's"])('ends at once %s', async (whose) => {
    const api = await playScript([{ ...begin(P), reply: throttled }]);
    const controller = new AbortController();
    const { signal } = controller;
    const [own, clients] = whose === 'by its own signal' ? [signal, undefined] : [undefined, signal];
    const uploader = new Uploader(new ProxyClient({ endpoint: api.url, token, signal: clients }));
    const started = performance.now();
    const push = uploader.pushLayer({ repositoryName, source: once(layer(1).bytes), signal: own });
    await expect.poll(() => api.authorizations.length).toBe(1);
    setTimeout(() => controller.abort(reason), 100);
    await expect(push).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
