// The CDK app as the CDK CLI runs it, whichever Node.js that is found by.

import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const projectRoot = join(import.meta.dirname, '../..');
const cli = join(projectRoot, 'node_modules/aws-cdk/bin/cdk');

/** Without the project's own Node.js on the PATH. */
const list = (...args: string[]) =>
  promisify(execFile)(
    process.execPath,
    [cli, 'list', '--output', mkdtempSync(join(tmpdir(), 'cdk-app-')), ...args],
    { cwd: projectRoot, env: { HOME: process.env.HOME, PATH: '/usr/bin:/bin', CI: 'true' } },
  );

it('the stack is found by the project’s own Node.js', async () => {
  expect((await list()).stdout.trim()).toBe('EcrUploadProxy');
});

it('a wrong configuration is reported member by member, without a stack', async () => {
  const failure = await list('-c', 'ecr-upload-proxy={"repositories":{"ecr":["A"]},"colour":1}').catch(
    (error: { stderr: string }) => error,
  );
  expect(failure.stderr).toMatch(
    /^--context:\n {2}repositories\.ecr\.0: expected .*\n {2}colour: not a member\n/m,
  );
  expect(failure.stderr).not.toMatch(/^\s+at /m);
});
