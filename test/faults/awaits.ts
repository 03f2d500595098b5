// The awaits of `forward` and of what it calls: where they stand in the code, and at which of them a request waits for a service.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SdkClient } from '../../lambda/telemetry/traces.ts';

const root = join(import.meta.dirname, '../..');
const folders = ['lambda/steps/forward', 'lambda/upload', 'lambda/quota'];

/** The awaits at which no cell's instance can die, by what stands in their line. */
export const otherAwaits: readonly { readonly text: RegExp; readonly why: string }[] = [
  { text: /\bpause\(/, why: 'a pause, in which no service is asked' },
  { text: /\.transformToByteArray\(/, why: 'the bytes of an answer that has begun' },
  { text: /\bawait \w+\.catch\(/, why: 'the promise of a call that was made, and is counted, a line before' },
  { text: /\bawait upstream\.readSecret\(/, why: 'the request has read the secret before' },
  { text: /renoteCompletion\(upload, noted, completion\)/, why: 'after a completion whose answer was lost' },
  { text: /slot \?\? \(await upload\.staging\.head/, why: 'after a part that was counted and then failed' },
  { text: /throw exceeded\(tooLarge/, why: 'of a quota that is smaller than a part' },
];

const isCode = (line: string): boolean => !/^\s*(?:\*|\/\/|\/\*)/.test(line);

/** Each with its place, as file and line. */
export function awaitsOfForward(): readonly { readonly place: string; readonly line: string }[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  return ['lambda/steps/forward.ts', ...files].flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        /\bawait\b/.test(line) && isCode(line) ? [{ place: `${file}:${index + 1}`, line }] : [],
      ),
  );
}

/** Enough for the SDK's own frames below ours. */
const maxFrames = 200;

function framesNow(): readonly string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = maxFrames;
  const { stack = '' } = new Error('where it is called');
  Error.stackTraceLimit = stackTraceLimit;
  return [...stack.matchAll(/(lambda\/[\w/.-]+\.ts:\d+):\d+/g)].flatMap(([, frame]) => frame ?? []);
}

/** Takes note of where the code waits at each call of a service: V8 lists the awaits of all callers as well. */
export function watchAwaits() {
  const seen = new Set<string>();
  return {
    seen,
    prepare: <Client extends SdkClient>(client: Client): Client => {
      client.middlewareStack.add(
        (next) => (args) => {
          for (const frame of framesNow()) {
            seen.add(frame);
          }
          return next(args);
        },
        { step: 'initialize', name: 'awaits' },
      );
      return client;
    },
  };
}
