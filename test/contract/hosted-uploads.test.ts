// Uploads of the hosted registry, request by request, against ECR's rules: whatever breaks off, is lost or comes twice.

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';
import { type IncomingBytes, PortError, type RegistryPort, type UploadState } from '../../registry/port.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { bodyOf, callerOf, hostedInstance, noBody } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const MiB = 1_048_576;
const repositoryName = 'team-a/app';
let stack: InProcess;
let instance: ReturnType<typeof hostedInstance>;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  stack = await startInProcess();
  instance = hostedInstance(stack);
});
afterAll(() => stack.close());
afterEach(() => stack.disarm());

const open = (token: string = tokens.a) => instance.open(callerOf(token));

/** How a request was refused, and where its client was told to go on. */
async function refusalOf(work: Promise<unknown>) {
  const error: unknown = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (error instanceof Error && 'code' in error) {
    return { code: error.code, state: error instanceof PortError ? error.uploadState : undefined };
  }
  throw error ?? new Error('it was not refused');
}

/** How often ECR was asked so. */
async function requests(operation: string): Promise<number> {
  const response = await fetch(`${stack.ecrUrl}/_requests`);
  return JSON.parse(await response.text()).operations[`ecr:${operation}`] ?? 0;
}

async function pulled(digest: string): Promise<Buffer> {
  const response = await fetch(`${stack.ecrUrl}/v2/${repositoryName}/blobs/${digest}`);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

const begin = async (port: RegistryPort) => (await port.begin(repositoryName)).reference;

const append = (port: RegistryPort, reference: string, incoming: IncomingBytes): Promise<UploadState> =>
  port.append(repositoryName, reference, incoming);

const finish = (port: RegistryPort, reference: string, bytes: Uint8Array, incoming = noBody) =>
  port.finish(repositoryName, reference, digestOf(bytes), incoming);

describe('an upload', () => {
  it.each([
    ['one byte', 1],
    ['less than a part', 3 * MiB],
    ['some parts and a small rest', 23 * MiB + 7],
  ])('of %s comes in one PATCH and an empty PUT', async (_, size) => {
    const bytes = randomBytes(size);
    const port = await open();
    const { reference, position } = await append(port, await begin(port), bodyOf(bytes));
    expect(position).toBe(size);
    expect(reference).toMatch(/^[A-Za-z0-9_-]{1,120}$/);
    await finish(port, reference, bytes);
    expect((await pulled(digestOf(bytes))).equals(bytes)).toBe(true);
    expect(await port.hasBlob(repositoryName, digestOf(bytes))).toEqual({ size });
  });

  it('comes in one PUT, which is repeated at the same Location after it was done', async () => {
    const bytes = randomBytes(12 * MiB);
    const port = await open();
    const reference = await begin(port);
    await finish(port, reference, bytes, bodyOf(bytes, { length: bytes.length }));
    await finish(port, reference, bytes, bodyOf(bytes, { length: bytes.length }));
    expect((await pulled(digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it('that begins asks ECR whether the repository is there, and begins nothing', async () => {
    const before = await requests('InitiateLayerUpload');
    const port = await open();
    expect(await port.begin(repositoryName)).toMatchObject({ position: 0 });
    expect(await requests('InitiateLayerUpload')).toBe(before);
    const refused = port.begin('team-a/none');
    await expect(refused).rejects.toThrow(/There is no repository team-a\/none .* a push makes none/);
    await expect(refused).rejects.toMatchObject({ code: 'RepositoryNotFoundException' });
  });

  it('is refused where the policy does not let its bytes in, before one is sent', async () => {
    const port = await open(tokens.b);
    const refused = await refusalOf(port.begin(repositoryName));
    expect(refused.code).toBe('AccessDeniedException');
  });

  it('of no bytes is refused in words', async () => {
    const port = await open();
    const reference = await begin(port);
    expect(await append(port, reference, noBody)).toMatchObject({ position: 0 });
    const refused = finish(port, reference, new Uint8Array());
    await expect(refused).rejects.toThrow(/ECR takes no empty layer/);
  });

  it('is worth nothing to another client', async () => {
    const port = await open();
    const { reference } = await append(port, await begin(port), bodyOf(randomBytes(6 * MiB)));
    const other = await open(tokens.b);
    for (const work of [
      () => other.append('team-b/app', reference, bodyOf(randomBytes(10))),
      () => other.finish('team-b/app', reference, digestOf('x'), noBody),
      () => other.status('team-b/app', reference),
      () => port.status('team-a/big', reference),
    ]) {
      expect((await refusalOf(work())).code).toBe('UploadNotFoundException');
    }
  });

  it.each(['nonsense', '7-nonsense', '12-', '0-1', '-1-aa', '5s5-ab'])(
    'that nobody began has no status: %s',
    async (reference) => {
      const port = await open();
      expect((await refusalOf(port.status(repositoryName, reference))).code).toBe('UploadNotFoundException');
      await port.cancel(repositoryName, reference);
    },
  );
});

describe('a body that breaks off', () => {
  const bytes = randomBytes(26 * MiB + 11);

  it('leaves what makes parts, and the client goes on from there', async () => {
    const start = 6 * MiB;
    const edges = [minEcrPartBytes, maxEcrPartBytes, 15 * MiB].flatMap((size) => [size - 1, size, size + 1]);
    const sizes = fc.oneof(fc.constantFrom(1, ...edges), fc.integer({ min: 1, max: 20 * MiB }));
    await fc.assert(
      fc.asyncProperty(sizes, async (brokenAfter) => {
        const port = await open();
        const first = await append(port, await begin(port), bodyOf(bytes.subarray(0, start)));
        const broken = append(port, first.reference, bodyOf(bytes.subarray(start), { brokenAfter }));
        await expect(broken).rejects.toThrow(/has gone away/);
        const state = await port.status(repositoryName, first.reference);
        expect(state.position - start).toBe(brokenAfter < minEcrPartBytes ? 0 : brokenAfter);
        const last = await append(port, state.reference, bodyOf(bytes.subarray(state.position)));
        expect(last.position).toBe(bytes.length);
        await finish(port, last.reference, bytes);
      }),
      fuzzed(3),
    );
    expect((await pulled(digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it('leaves nothing of a whole blob under 5 MiB, which begins again', async () => {
    const port = await open();
    const reference = await begin(port);
    const before = await requests('UploadLayerPart');
    const broken = append(port, reference, bodyOf(bytes, { brokenAfter: 4 * MiB }));
    await expect(broken).rejects.toThrow(/has gone away/);
    expect(await requests('UploadLayerPart')).toBe(before);
    expect(await port.status(repositoryName, reference)).toMatchObject({ position: 0 });
  });
});

describe('a body that comes faster than ECR takes it', () => {
  it('is read on while a part is on its way, until the next is full, and one part is on its way at a time', async () => {
    const mayGoOn = Promise.withResolvers<void>();
    const { ecr } = stack.services.upstream.ecr;
    let onTheirWay = 0;
    let mostOnTheirWay = 0;
    const slow: typeof ecr = {
      ...ecr,
      UploadLayerPart: async (...call) => {
        onTheirWay += 1;
        mostOnTheirWay = Math.max(mostOnTheirWay, onTheirWay);
        await mayGoOn.promise;
        return ecr.UploadLayerPart(...call).finally(() => {
          onTheirWay -= 1;
        });
      },
    };
    const upstream = { ...stack.services.upstream, ecr: { ...stack.services.upstream.ecr, ecr: slow } };
    const port = await hostedInstance({ services: { ...stack.services, upstream } }).open(callerOf());
    const bytes = randomBytes(26 * MiB);
    const { chunks } = bodyOf(bytes);
    let read = 0;
    async function* counted() {
      for await (const chunk of chunks) {
        read += chunk.length;
        yield chunk;
      }
    }
    const finished = finish(port, await begin(port), bytes, bodyOf(bytes, { chunks: counted() }));
    await expect.poll(() => read / MiB).toBe(25);
    mayGoOn.resolve();
    await finished;
    expect(mostOnTheirWay).toBe(1);
  });
});

describe('an offset', () => {
  const bytes = randomBytes(18 * MiB);
  const half = bytes.subarray(0, 9 * MiB);

  it('behind ECR’s, as an answer was lost: what ECR has is skipped', async () => {
    const port = await open();
    const first = await append(port, await begin(port), bodyOf(half.subarray(0, 5 * MiB)));
    await append(port, first.reference, bodyOf(bytes.subarray(5 * MiB, 11 * MiB)));
    const rest = bytes.subarray(5 * MiB);
    const state = await append(port, first.reference, bodyOf(rest, { first: 5 * MiB, length: rest.length }));
    expect(state.position).toBe(bytes.length);
    await finish(port, state.reference, bytes);
    expect((await pulled(digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it.each([
    ['behind the Location’s', (at: number) => at - 1],
    ['ahead of it', (at: number) => at + 1],
    ['of the blob’s first byte', () => 0],
  ])('%s is refused, and ECR’s is told', async (_, firstOf) => {
    const port = await open();
    const { reference, position } = await append(port, await begin(port), bodyOf(half));
    const refused = append(port, reference, bodyOf(half, { first: firstOf(position) }));
    expect(await refusalOf(refused)).toMatchObject({
      code: 'InvalidLayerPartException',
      state: { position, reference },
    });
  });

  it('above 0 in an upload that has nothing is refused', async () => {
    const port = await open();
    const refused = append(port, await begin(port), bodyOf(half, { first: 5 }));
    expect(await refusalOf(refused)).toMatchObject({ state: { position: 0 } });
  });

  it('after a part under 5 MiB takes an empty PUT alone', async () => {
    const port = await open();
    const small = randomBytes(4 * MiB);
    const { reference } = await append(port, await begin(port), bodyOf(small));
    for (const work of [
      () => append(port, reference, bodyOf(half)),
      () => finish(port, reference, small, bodyOf(half)),
    ]) {
      expect(await refusalOf(work())).toMatchObject({
        code: 'InvalidLayerPartException',
        state: { position: 0 },
      });
    }
    await finish(port, reference, small);
  });

  it('whose small part’s answer was lost is known to be after one', async () => {
    const port = await open();
    const first = await append(port, await begin(port), bodyOf(half));
    await append(port, first.reference, bodyOf(randomBytes(MiB)));
    const { reference, position } = await port.status(repositoryName, first.reference);
    expect(position).toBe(10 * MiB);
    expect(await refusalOf(append(port, reference, bodyOf(half)))).toMatchObject({ state: { position: 0 } });
  });
});

describe('two requests of one upload at the same time', () => {
  it('append once: ECR refuses the second', async () => {
    const bytes = randomBytes(21 * MiB);
    const port = await open();
    const head = bytes.subarray(0, 6 * MiB);
    const { reference } = await append(port, await begin(port), bodyOf(head));
    const other = hostedInstance(stack);
    const second = await other.open(callerOf());
    const rest = bytes.subarray(head.length);
    const outcomes = await Promise.allSettled([
      append(port, reference, bodyOf(rest)),
      append(second, reference, bodyOf(rest)),
    ]);
    const taken = outcomes.filter((one) => one.status === 'fulfilled');
    const refused = outcomes.filter((one) => one.status === 'rejected');
    expect([taken.length, refused.length]).toEqual([1, 1]);
    expect(refused[0]?.reason).toMatchObject({ code: 'InvalidLayerPartException' });
    const state = await port.status(repositoryName, reference);
    expect(state.position).toBe(bytes.length);
    await finish(port, state.reference, bytes);
  });
});

describe('what ECR or the network fails', () => {
  const faults = ['throttle', 'server-error', 'drop-before', 'drop-after'];
  const operations = ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'];
  const rows = operations.flatMap((operation) => faults.map((fault) => [operation, fault] as const));

  it.each(rows)('is sent again: %s, %s', async (operation, fault) => {
    const bytes = randomBytes(1_000);
    const port = await open();
    const reference = await begin(port);
    await stack.arm({ operation, fault, times: 4 });
    await finish(port, reference, bytes, bodyOf(bytes));
    expect((await pulled(digestOf(bytes))).equals(bytes)).toBe(true);
  });

  it('is sent again for a while only', async () => {
    const impatient = hostedInstance(stack, { patience: { budgetMs: 300 } });
    const port = await impatient.open(callerOf());
    const reference = await begin(port);
    await stack.arm({ operation: 'UploadLayerPart', fault: 'server-error', times: 1_000 });
    const refused = append(port, reference, bodyOf(randomBytes(6 * MiB)));
    expect(await refusalOf(refused)).toMatchObject({ code: 'ServerException' });
  });

  it('is not sent again where it would be refused again', async () => {
    const port = await open();
    const reference = await begin(port);
    await stack.arm({ operation: 'UploadLayerPart', fault: 'limit', times: 3 });
    const refused = append(port, reference, bodyOf(randomBytes(6 * MiB)));
    expect((await refusalOf(refused)).code).toBe('LimitExceededException');
  });
});

describe('the record of a request', () => {
  it('is one line and one set of counts, however many parts it had', async () => {
    const line: Record<string, unknown> = {};
    const counts: (string | number | undefined)[][] = [];
    const ends: unknown[] = [];
    const served: string[] = [];
    const recorded = hostedInstance(stack, {
      beginRecord: () => ({
        serves: (operation) => void served.push(operation),
        add: (members) => void Object.assign(line, members),
        count: (...count) => void counts.push(count),
        warn: () => {},
        end: (...end) => void ends.push(end),
      }),
    });
    const bytes = randomBytes(26 * MiB);
    const first = await append(await open(), await begin(await open()), bodyOf(bytes.subarray(0, 6 * MiB)));
    const caller = callerOf();
    const port = await recorded.open(caller);
    await stack.arm({ operation: 'UploadLayerPart', fault: 'server-error', times: 6 });
    await append(port, first.reference, bodyOf(bytes.subarray(6 * MiB)));
    const { requestId, sourceIp } = caller;
    const outcome = { method: 'PATCH', status: 202, code: undefined, fault: undefined };
    recorded.records.end({ requestId, sourceIp, ...outcome });
    expect(line).toMatchObject({
      principal: 'Client::team-a-ci',
      decision: 'allow',
      repositoryName,
      bytes: 20 * MiB,
      partFirstByte: 6 * MiB,
      method: 'PATCH',
    });
    expect(served).toEqual(['UploadLayerPart']);
    expect(counts).toEqual([['Bytes', 20 * MiB]]);
    expect(ends).toEqual([[202, undefined]]);
  });
});
