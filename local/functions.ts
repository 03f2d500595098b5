// The local Lambda: runs the bundles of the template, each in its own worker threads.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Account } from './account.ts';
import type { Invoke } from './gateway.ts';
import type { LambdaFunction } from './template.ts';
import type { InstanceData, Invocation, InvocationResult } from './worker.ts';

/** The largest response of a synchronous invocation, in bytes. Source: Lambda's ResponseSizeTooLarge error. */
const maxResponseBytes = 6_291_556;

/** Lambda scales wider; two cores do not. Further events wait their turn. */
const maxInstances = 4;

/** How long an event may wait for an instance that is free and has loaded its code. Lambda would not let it wait. */
const maxWaitMs = 60_000;

type FunctionsOptions = {
  functions: readonly LambdaFunction[];
  account: Account;
  /** Added to what the template sets: addresses and credentials. */
  environment: Readonly<Record<string, string>>;
  /** Takes what the functions print, and one line in JSON for each invocation. */
  logFile: string;
};

/** An instance starts when an event finds none free, and is kept; it ends with its function's timeout. */
export function startFunctions({ functions, account, environment, logFile }: FunctionsOptions) {
  const pools = new Map(
    functions.map((fn) => [fn.name, startPool(fn, instanceData(fn, account, logFile), account, environment)]),
  );

  const invoke: Invoke = async (functionName, event) => {
    const pool = pools.get(functionName);
    if (!pool) {
      throw new Error(`no function ${functionName}`);
    }
    const { fn, instances } = pool;
    const requestId = randomUUID();
    const clock = startClock(fn.timeoutMs);
    const invocation: Invocation = { requestId, event, timeoutMs: fn.timeoutMs, begins: clock.begins };
    const result: InvocationResult = await instances
      .run(invocation, { signal: clock.signal, transferList: [clock.begins] })
      .catch((error: Error) => ({ failure: clock.signal.aborted ? clock.whyAborted() : error.message }));
    const durationMs = clock.stop();
    const outcome = refuseLarge(result);
    const status = 'failure' in outcome ? { status: 'failure', ...outcome } : { status: 'success' };
    await appendFile(logFile, `${JSON.stringify({ functionName, requestId, durationMs, ...status })}\n`);
    if ('failure' in outcome) {
      throw new Error(outcome.failure);
    }
    return outcome.payload;
  };

  const close = async () => {
    await Promise.all([...pools.values()].map(({ instances }) => instances.destroy()));
  };
  return { invoke, close };
}

/**
 * A function's time begins when an instance of it takes the event, as in Lambda: neither the time in which it waits for
 * one counts, nor that in which the instance loads its code.
 */
function startClock(timeoutMs: number) {
  const { port1: begun, port2: begins } = new MessageChannel();
  const aborting = new AbortController();
  let begunAtMs: number | undefined;
  let timer = setTimeout(() => aborting.abort(), maxWaitMs);
  begun.once('message', () => {
    clearTimeout(timer);
    begunAtMs = performance.now();
    timer = setTimeout(() => aborting.abort(), timeoutMs);
  });
  return {
    begins,
    signal: aborting.signal,
    whyAborted: () =>
      begunAtMs === undefined
        ? `No instance was free within ${maxWaitMs / 1_000} seconds`
        : `Task timed out after ${timeoutMs / 1_000} seconds`,
    /** @returns how long the function ran, in milliseconds */
    stop: (): number => {
      clearTimeout(timer);
      begun.close();
      return begunAtMs === undefined ? 0 : Math.round(performance.now() - begunAtMs);
    },
  };
}

const refuseLarge = (result: InvocationResult): InvocationResult =>
  'payload' in result && Buffer.byteLength(result.payload) > maxResponseBytes
    ? { failure: `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).` }
    : result;

function startPool(
  fn: LambdaFunction,
  workerData: InstanceData,
  account: Account,
  environment: Readonly<Record<string, string>>,
) {
  const instances = new Piscina<Invocation, InvocationResult>({
    filename: join(import.meta.dirname, 'worker.ts'),
    workerData,
    env: { ...runtimeEnvironment(fn, account), ...fn.environment, ...environment },
    minThreads: 0,
    maxThreads: maxInstances,
    idleTimeout: Number.POSITIVE_INFINITY,
    // An idle instance goes on reading its sockets, so that it sees the other end close them.
    atomics: 'disabled',
  });
  // A crash of an instance that runs nothing: the next event starts another.
  instances.on('error', (error) => appendFile(workerData.logFile, `${fn.name}: ${error.stack}\n`));
  return { fn, instances };
}

/** `index.putImage` is the export `putImage` of index.mjs, index.js or index.cjs, as the Node.js runtimes look. */
function instanceData(fn: LambdaFunction, account: Account, logFile: string): InstanceData {
  const [file = '', exportName = ''] = fn.handler.split('.');
  const candidates = ['mjs', 'js', 'cjs'].map((extension) => join(fn.directory, `${file}.${extension}`));
  const handlerFile = candidates.find((candidate) => existsSync(candidate));
  if (!handlerFile) {
    throw new Error(`${fn.name}: no ${candidates.join(', ')}`);
  }
  return {
    handlerFile,
    exportName,
    logFile,
    context: {
      functionName: fn.name,
      functionVersion: '$LATEST',
      invokedFunctionArn: `arn:aws:lambda:${account.region}:${account.accountId}:function:${fn.name}`,
      memoryLimitInMB: String(fn.memorySizeMegabytes),
      logGroupName: `/aws/lambda/${fn.name}`,
      logStreamName: 'local',
    },
  };
}

/** Source: "Defined runtime environment variables" in the Lambda developer guide. */
const runtimeEnvironment = (fn: LambdaFunction, { region }: Account): Record<string, string> => ({
  _HANDLER: fn.handler,
  AWS_DEFAULT_REGION: region,
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memorySizeMegabytes),
  AWS_LAMBDA_FUNCTION_NAME: fn.name,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
  AWS_LAMBDA_LOG_STREAM_NAME: 'local',
  AWS_REGION: region,
  LAMBDA_TASK_ROOT: fn.directory,
  TZ: ':UTC',
});
