// An AWS client in another process, another language: one call in JSON on a line of its standard input, and
// one outcome in JSON on a line of its standard output.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { StartClient } from './aws-client.ts';

const outcome = z.object({
  output: z.record(z.string(), z.unknown()).optional(),
  failure: z
    .object({
      code: z.string(),
      message: z.string(),
      typed: z.boolean(),
      lastValidByteReceived: z.int().optional(),
    })
    .optional(),
});

/** @param command a program that speaks JSON lines; it gets the environment it is started with, and `PATH` */
export const processClient =
  (command: string, ...args: string[]): StartClient =>
  async (environment) => {
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      call: async (service, operation, members = {}) => {
        const { layerPartBlob } = members;
        const blob = layerPartBlob && { layerPartBlob: Buffer.from(layerPartBlob).toString('base64') };
        child.stdin.write(`${JSON.stringify({ service, operation, members: { ...members, ...blob } })}\n`);
        const { value, done } = await lines.next();
        if (done) {
          throw new Error(`${command} ended without an outcome of ${operation}`);
        }
        const { output, failure } = outcome.parse(JSON.parse(value));
        if (!failure) {
          return { output: output ?? {} };
        }
        const { lastValidByteReceived, ...rest } = failure;
        return {
          failure: { ...rest, ...(lastValidByteReceived !== undefined && { lastValidByteReceived }) },
        };
      },
      close: async () => {
        child.stdin.end();
        if (child.exitCode === null) {
          await once(child, 'close');
        }
      },
    };
  };
