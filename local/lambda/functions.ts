// The local Lambda: runs the bundles of the template, each in its own worker threads.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Account } from '../account.ts';
import { appendTo } from '../log-file.ts';
import type { LambdaFunction } from '../template/template.ts';
import { type InstanceStart, Instances } from './instances.ts';
import { InvocationThrottled, type Invoke } from './invocation.ts';
import type { InstanceData, InvocationResult } from './worker.ts';

/** The largest response of a synchronous invocation, in bytes. Source: Lambda's ResponseSizeTooLarge error. */
const maxResponseBytes = 6_291_556;

/** At once, of all functions: Lambda takes more, two cores do not. Further ones wait, before their time begins. */
const maxInvocations = 6;

/** With idle ones, of all functions: each takes some 100 MiB, and half a second of CPU to start. */
const maxInstances = 10;

type FunctionsOptions = {
  functions: readonly LambdaFunction[];
  account: Account;
  /** Added to what the template sets: addresses and credentials. */
  environment: Readonly<Record<string, string>>;
  /** Takes what the functions print, and one line in JSON for each invocation. */
  logFile: string;
  /** Fewer in tests only. */
  limits?: { invocations: number; instances: number };
};

/** Decision 0028: an instance for each event under way; more than a function has reserved are throttled. */
export function startFunctions({ functions, account, environment, logFile, limits }: FunctionsOptions) {
  const log = (line: string) => appendTo(logFile, `${line}\n`);
  const instances = new Instances(limits?.instances ?? maxInstances, log);
  const inTurn = pLimit(limits?.invocations ?? maxInvocations);
  const byName = new Map(
    functions.map((fn) => [
      fn.name,
      { fn, start: instanceStart(fn, account, environment, logFile), underWay: 0 },
    ]),
  );

  const run = async (
    { fn, start }: { fn: LambdaFunction; start: InstanceStart },
    event: string,
    begins: () => void,
  ) => {
    const requestId = randomUUID();
    let begunAtMs: number | undefined;
    const instance = instances.take(start);
    const result = await instance.run({ requestId, event, timeoutMs: fn.timeoutMs }, () => {
      begunAtMs = performance.now();
      begins();
    });
    const durationMs = begunAtMs === undefined ? 0 : Math.round(performance.now() - begunAtMs);
    instances.giveBack(instance);
    const outcome = refuseLarge(result);
    const status = 'failure' in outcome ? { status: 'failure', ...outcome } : { status: 'success' };
    log(JSON.stringify({ functionName: fn.name, requestId, durationMs, ...status }));
    if ('failure' in outcome) {
      throw new Error(outcome.failure);
    }
    return outcome.payload;
  };

  const invoke: Invoke = async (functionName, event, begins) => {
    const called = byName.get(functionName);
    if (!called) {
      throw new Error(`no function ${functionName}`);
    }
    // Those that wait here count as well: Lambda would be running them.
    if (called.underWay >= (called.fn.reservedConcurrentExecutions ?? Number.POSITIVE_INFINITY)) {
      throw new InvocationThrottled(`${functionName} runs as often at once as it may`);
    }
    called.underWay += 1;
    try {
      return await inTurn(() => run(called, event, begins));
    } finally {
      called.underWay -= 1;
    }
  };

  return { invoke, close: () => instances.close() };
}

const refuseLarge = (result: InvocationResult): InvocationResult =>
  'payload' in result && Buffer.byteLength(result.payload) > maxResponseBytes
    ? { failure: `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).` }
    : result;

const instanceStart = (
  fn: LambdaFunction,
  account: Account,
  environment: Readonly<Record<string, string>>,
  logFile: string,
): InstanceStart => ({
  data: instanceData(fn, account, logFile),
  environment: { ...runtimeEnvironment(fn, account), ...fn.environment, ...environment },
});

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
