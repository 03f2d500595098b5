import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';

const readme = join(import.meta.dirname, '../../README.md');

describe('the README', () => {
  let directory: string;
  let local: LocalStack;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'readme-'));
    local = await startLocalStack();
  });
  afterAll(async () => {
    await local?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('has a curl session that works as typed', async () => {
    const text = await readFile(readme, 'utf8');
    const [, session = ''] = /<!-- session:.*?-->\n```sh\n(.*?)```/s.exec(text) ?? [];
    const script = session
      .replace('http://127.0.0.1:8080', local.proxyUrl)
      .replace('http://127.0.0.1:8081', local.ecrUrl);
    expect(script).not.toBe(session);
    const { stdout } = await promisify(execFile)('bash', ['-eo', 'pipefail', '-c', script], {
      cwd: directory,
    });
    expect(stdout).toContain('"lastByteReceived":5999999');
    expect(stdout).toMatch(/the same\n$/);
  });
});
