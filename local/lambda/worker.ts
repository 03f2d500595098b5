// One instance of a Lambda function: a worker thread that loads the bundle once and takes one event at a time.

import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { appendTo } from '../log-file.ts';

export type InstanceData = {
  handlerFile: string;
  exportName: string;
  logFile: string;
  context: {
    functionName: string;
    functionVersion: string;
    invokedFunctionArn: string;
    memoryLimitInMB: string;
    logGroupName: string;
    logStreamName: string;
  };
};

/** The event is text, as between Lambda's service and its runtime. */
export type Invocation = {
  requestId: string;
  event: string;
  timeoutMs: number;
};

export type InvocationResult = { payload: string } | { failure: string };

/** `begun` when the code is loaded and the function begins; then its result. */
export type Reply = 'begun' | InvocationResult;

const { handlerFile, exportName, logFile, context }: InstanceData = workerData;

/** What the function prints goes to the log file, line by line as it comes, and not to the terminal. */
function write(chunk: string | Uint8Array): boolean {
  appendTo(logFile, chunk);
  return true;
}
process.stdout.write = write;
process.stderr.write = write;

// A worker does not read NODE_OPTIONS, of which this is the only one the stack sets.
process.setSourceMapsEnabled(process.env.NODE_OPTIONS?.includes('--enable-source-maps') ?? false);

type Handler = (event: unknown, context: object) => unknown;

/** Lambda's init phase. It starts with the instance; a bundle that does not load fails each invocation. */
const loading: Promise<Handler | Error> = import(pathToFileURL(handlerFile).href).then(
  (bundle) =>
    typeof bundle[exportName] === 'function'
      ? bundle[exportName]
      : new Error(`${handlerFile} exports no function ${exportName}`),
  (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
);

const describe = (error: unknown): string => (error instanceof Error ? String(error.stack) : String(error));

async function run({ requestId, event, timeoutMs }: Invocation): Promise<InvocationResult> {
  const handler = await loading;
  reply('begun');
  const deadlineMs = Date.now() + timeoutMs;
  if (handler instanceof Error) {
    return { failure: describe(handler) };
  }
  try {
    const result = await handler(JSON.parse(event), {
      ...context,
      callbackWaitsForEmptyEventLoop: true,
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    });
    return { payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    return { failure: describe(error) };
  }
}

const reply = (message: Reply) => parentPort?.postMessage(message);

// The thread goes on listening, so that an idle instance reads its sockets and sees the other end close them.
parentPort?.on('message', async (invocation: Invocation) => reply(await run(invocation)));
