// The snippets of docs/aws-clients.md, run as they are typed.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientEnvironment } from '../support/aws-client.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { tokens } from '../support/resource-api.ts';
import { boto3, cli, withClient } from './installed.ts';

const documentation = join(import.meta.dirname, '../../docs/aws-clients.md');

async function snippet(language: string): Promise<string> {
  const found = new RegExp(`<!-- session:.*?-->\\n\`\`\`${language}\\n(.*?)\`\`\``, 's');
  const [, text = ''] = found.exec(await readFile(documentation, 'utf8')) ?? [];
  expect(text).not.toBe('');
  return text;
}

describe('docs/aws-clients.md', () => {
  let directory: string;
  let proxy: LocalStack;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'session-'));
    proxy = await startLocalStack();
  });
  afterAll(async () => {
    await proxy?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const run = async (command: string, ...args: string[]) => {
    const PATH = [dirname(cli.file), process.env.PATH].join(delimiter);
    const env = { ...clientEnvironment(proxy.proxyUrl, tokens.a), PATH };
    return (await promisify(execFile)(command, args, { cwd: directory, env })).stdout;
  };

  withClient(cli, () => {
    it('has a session of the AWS CLI that works as typed', async () => {
      const output = await run('bash', '-eo', 'pipefail', '-c', await snippet('sh'));
      expect(output).toContain('"layerAvailability": "AVAILABLE"');
    });
  });

  withClient(boto3, () => {
    it('has a program for boto3 that works as typed', async () => {
      expect(await run(boto3.file, '-c', await snippet('python'))).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    });
  });
});
