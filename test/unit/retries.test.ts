// How often AWS is asked, and that no call's failures cost another its second attempt.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onceMore, patiently, type Retries } from '../../lambda/retries.ts';
import { upstreamCodeOf, wasRetried } from '../../lambda/sdk-failures.ts';

type More = { $metadata?: { httpStatusCode?: number; attempts?: number }; code?: string };

const failure = (name: string, more: More = {}) =>
  Object.assign(new Error(name), { name, cause: new Error('the cause'), ...more });
type Failure = ReturnType<typeof failure>;
const answered = (name: string, httpStatusCode: number) => failure(name, { $metadata: { httpStatusCode } });

/** How often a request is sent whose attempts all fail so, and how long it waits in between; as the SDK asks. */
async function send(
  { retryStrategy }: Retries,
  failed: Failure,
): Promise<{ attempts: number; waitedMs: number }> {
  let token = await retryStrategy.acquireInitialRetryToken('');
  let waitedMs = 0;
  for (;;) {
    try {
      token = await retryStrategy.refreshRetryTokenForRetry(token, { error: failed, errorType: 'TRANSIENT' });
      waitedMs += token.getRetryDelay();
    } catch (error) {
      expect(error).toBe(failed);
      return { attempts: token.getRetryCount() + 1, waitedMs };
    }
  }
}

const unanswered = [
  failure('Error', { code: 'ECONNRESET' }),
  failure('TimeoutError', { code: 'EPIPE' }),
  failure('TimeoutError', { code: 'ECONNREFUSED' }),
  failure('TimeoutError'),
  failure('Error', { code: 'EAI_AGAIN' }),
];
const passing = [
  answered('Unknown', 503),
  answered('SyntaxError', 502),
  answered('ServerException', 500),
  answered('ThrottlingException', 400),
  answered('Unknown', 429),
  answered('OperationAborted', 409),
];
const lasting = [
  answered('LimitExceededException', 400),
  answered('InvalidLayerPartException', 400),
  answered('AccessDeniedException', 400),
  answered('KmsException', 400),
  answered('Unknown', 403),
  failure('AbortError'),
  failure('TypeError'),
];

describe('a function', () => {
  it.each(unanswered)('sends once more, at once, what broke before any answer: $name $code', async (error) =>
    expect(await send(onceMore, error)).toEqual({ attempts: 2, waitedMs: 0 }),
  );

  it.each([...passing, ...lasting])('sends nothing again that was answered: $message', async (error) =>
    expect(await send(onceMore, error)).toEqual({ attempts: 1, waitedMs: 0 }),
  );

  it('has no budget that failures of other calls use up', async () => {
    const [broken = failure('TimeoutError')] = unanswered;
    const sent = await Promise.all(Array.from({ length: 1_000 }, () => send(onceMore, broken)));
    expect(new Set(sent.map(({ attempts }) => attempts))).toEqual(new Set([2]));
  });
});

describe('a front whose caller cannot send again', () => {
  it.each([...unanswered, ...passing])(
    'sends again what may pass, for 16 s at most: $message',
    async (error) => {
      const { attempts, waitedMs } = await send(patiently, error);
      expect(attempts).toBe(patiently.maxAttempts);
      expect(waitedMs).toBeLessThanOrEqual(16_000);
    },
  );

  it.each(lasting)(
    'sends nothing again that will be refused again, or that nobody waits for: $message',
    async (error) => expect((await send(patiently, error)).attempts).toBe(1),
  );
});

describe('what an SDK throws', () => {
  it('is a row of the table whatever the service answers, and a fault of ours only where none was asked', () =>
    fc.assert(
      fc.property(fc.string(), fc.option(fc.integer({ min: 100, max: 599 })), (name, status) => {
        const $metadata = { attempts: 1, ...(status !== null && { httpStatusCode: status }) };
        expect(upstreamCodeOf(failure(name, { $metadata }))).toBeDefined();
        expect(upstreamCodeOf(failure(`our ${name}`))).toBeUndefined();
      }),
    ));

  it.each([
    undefined,
    null,
    'text',
    {},
    { $metadata: null },
    { $metadata: { attempts: '2' } },
    failure('Error'),
  ])('may be anything: %j', (thrown) => expect(wasRetried(thrown)).toBe(false));
});
