// The AWS CLI as an AWS client of the suite: one process per call, blobs from files.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Failure, Members, StartClient } from '../support/aws-client.ts';

const kebab = (name: string) => name.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase();

const failed = z.object({ stderr: z.string() });
const pattern = /An error occurred \((\w+)\) when calling the \w+ operation(?: \(.*?\))?: (.*)/s;

function failureOf(error: unknown): Failure {
  const { stderr } = failed.parse(error);
  const [, code, message = ''] = pattern.exec(stderr) ?? [];
  if (code === undefined) {
    throw new Error(stderr);
  }
  return { code, message: message.trim() };
}

/** @param command where the CLI is */
export const awsCli =
  (command: string): StartClient =>
  async (environment) => {
    const directory = await mkdtemp(join(tmpdir(), 'aws-cli-'));
    const argumentsOf = async ({ layerPartBlob, ...members }: Members) => {
      const flags = Object.entries(members).flatMap(([name, value]) => [
        `--${kebab(name)}`,
        ...[value].flat().map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one))),
      ]);
      if (!layerPartBlob) {
        return flags;
      }
      const file = join(directory, 'part');
      await writeFile(file, layerPartBlob);
      return [...flags, '--layer-part-blob', `fileb://${file}`];
    };
    return {
      call: async (registry, operation, members = {}) => {
        const flags = await argumentsOf(members);
        try {
          const { stdout } = await promisify(execFile)(command, [registry, kebab(operation), ...flags], {
            env: {
              PATH: process.env.PATH,
              HOME: process.env.HOME,
              AWS_DEFAULT_OUTPUT: 'json',
              ...environment,
            },
          });
          return { output: z.record(z.string(), z.unknown()).parse(JSON.parse(stdout)) };
        } catch (error) {
          return { failure: failureOf(error) };
        }
      },
      close: () => rm(directory, { recursive: true, force: true }),
    };
  };
