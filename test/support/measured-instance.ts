// One instance of the functions in a process of its own, so that nothing but they is measured: time, memory, log.

import { readFileSync } from 'node:fs';
import { operationNames } from '../../api/operations.ts';
import { openFunctionServices } from '../../lambda/function-services.ts';
import { awsHandler, type Handler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { lambdaContext } from './proxy-event.ts';

/** An event in a file, as Lambda hands one to a function. */
export type Invocation = { readonly functionName: string; readonly file: string };

/** What an invocation cost, and what came of it. */
export type Measured = {
  readonly cpuMs: number;
  /** The memory of the process before the event, and the most that it has had until now. */
  readonly idleMiB: number;
  readonly peakMiB: number;
  readonly log: string;
  readonly status: number;
  readonly answer: string;
};

const MiB = 1_048_576;
const log: string[] = [];
process.stdout.write = (chunk: string | Uint8Array): boolean => log.push(String(chunk)) > 0;

const services = openFunctionServices(JSON.parse(process.argv[2] ?? '{}'));
const handlers = new Map<string, Handler>([
  ...operationNames.map((name): [string, Handler] => [name, resourceHandler(name, services)]),
  ['aws-api', awsHandler(services)],
]);

async function measure({ functionName, file }: Invocation): Promise<Measured> {
  const handler = handlers.get(functionName);
  if (!handler) {
    throw new Error(`no function ${functionName}`);
  }
  globalThis.gc?.();
  log.length = 0;
  const idleMiB = process.memoryUsage.rss() / MiB;
  const event = JSON.parse(readFileSync(file, 'utf8'));
  const started = process.cpuUsage();
  const { statusCode: status, body: answer } = await handler(event, lambdaContext());
  const { user, system } = process.cpuUsage(started);
  const peakMiB = (process.resourceUsage().maxRSS * 1_024) / MiB;
  return { cpuMs: (user + system) / 1_000, idleMiB, peakMiB, log: log.join(''), status, answer };
}

process.on('message', (invocation: Invocation) => {
  void measure(invocation).then((measured) => process.send?.(measured));
});
