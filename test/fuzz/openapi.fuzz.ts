// openapi.json, and nothing else, in the hands of schemathesis: requests at the local stack, answers against the document.

import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaled } from '../support/fuzzing.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { pythonTools } from '../support/python-tool.ts';
import { tokens } from '../support/resource-api.ts';

const here = import.meta.dirname;
const schemathesis = pythonTools('fuzz-python', join(here, 'requirements.txt'))('schemathesis');

describe('a fuzzer that knows openapi.json alone', () => {
  let local: LocalStack;
  beforeAll(async () => {
    local = await startLocalStack();
  });
  afterAll(() => local.close());

  it('finds no answer that the document does not have, and no fault of the proxy', async () => {
    const { status, output } = await new Promise<{ status: unknown; output: string }>((resolve) => {
      const args = [
        ...['--config-file', join(here, 'schemathesis.toml'), 'run', join(here, '../../openapi.json')],
        ...['--url', local.proxyUrl, '--header', `Authorization: Bearer ${tokens.a}`],
        ...['--max-examples', `${scaled(20)}`, '--max-time', `${scaled(90)}`, '--no-shrink'],
        ...(process.env.SEED === undefined ? [] : ['--seed', process.env.SEED]),
      ];
      const env = { ...process.env, SCHEMATHESIS_HOOKS: join(here, 'openapi-hooks.py') };
      // It leaves what it has found in its working directory.
      execFile(schemathesis, args, { cwd: tmpdir(), env, maxBuffer: 1e9 }, (error, stdout, stderr) => {
        resolve({ status: error?.code ?? 0, output: stdout + stderr });
      });
    });
    expect(status, output).toBe(0);
  });
});
