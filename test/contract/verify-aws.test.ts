// `npm run verify:aws`, tried on the local stack: the script works, and the stand-ins are what the page believes of AWS.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { urlOf } from '../../local/address.ts';
import { checks } from '../aws/verify.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { tokens } from '../support/resource-api.ts';

const main = join(import.meta.dirname, '../aws/main.ts');

let local: LocalStack;
beforeAll(async () => {
  local = await startLocalStack({ registryPort: 0 });
});
afterAll(() => local?.close());

const run = (environment: Record<string, string>) =>
  promisify(execFile)(process.execPath, [main], {
    env: { PATH: process.env.PATH ?? '', AWS_REGION: 'eu-central-1', ...environment },
    timeout: 170_000,
  });

const proxy = () => ({
  PROXY_URL: local.proxyUrl,
  PROXY_TOKEN: tokens.a,
  PROXY_REPOSITORY: 'team-a/app',
});
const credentials = () => ({
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_ENDPOINT_URL_ECR: local.ecrUrl,
});

const registryRows = checks.filter(({ needs }) => needs === 'registry').map(({ row }) => row);

describe('npm run verify:aws', () => {
  it('tries every check, and finds that all of them hold here', async () => {
    const { stdout } = await run({ ...proxy(), ...credentials() });
    expect(stdout).not.toContain('HOLDS NOT');
    expect(stdout).not.toContain('the check failed');
    expect(stdout.match(/^ *\d+ {2}(?:holds|told) /gm)).toHaveLength(
      checks.filter(({ needs }) => needs !== 'registry').length,
    );
    expect(stdout).toContain(`Not tried without REGISTRY_HOST: ${registryRows.join(', ')}\n`);
    expect(stdout).not.toContain(tokens.a);
  });

  it('leaves ECR out without AWS credentials, and says which rows that are', async () => {
    const { stdout } = await run(proxy());
    expect(stdout).toMatch(/Not tried without AWS credentials: 1, 2, 3/);
    expect(stdout.match(/^ *\d+ {2}holds /gm)).toHaveLength(
      checks.filter(({ needs }) => needs === 'proxy').length,
    );
  });

  it('tries a registry endpoint where one is named, and finds what is believed of it here', async () => {
    const REGISTRY_HOST = String(local.registryUrl);
    const { stdout } = await run({ ...proxy(), REGISTRY_HOST, REGISTRY_MAX_LAYER_BYTES: '12000000' });
    for (const row of registryRows) {
      expect(stdout).toMatch(new RegExp(`^ *${row} {2}holds `, 'm'));
    }
    expect(stdout).toContain('12000000 bytes: PATCH 202, PUT 201');
    expect(stdout).not.toContain(tokens.a);
  });

  it('tells a belief that does not hold, and ends with status 1', async () => {
    const answersAnything = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(answersAnything, 'listening');
    const PROXY_URL = urlOf(answersAnything);
    await expect(run({ ...proxy(), PROXY_URL })).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/HOLDS NOT[\s\S]*hold not: /),
    });
    answersAnything.close();
  });

  it('says what it needs', async () => {
    await expect(run({})).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('PROXY_URL') });
  });

  it('checks rows of docs/aws-assumptions.md, each of them once', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/aws-assumptions.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, row]) => Number(row));
    expect(rows).toEqual(rows.map((_, index) => index + 1));
    const checked = checks.map(({ row }) => row);
    expect(new Set(checked).size).toBe(checked.length);
    expect(rows).toEqual(expect.arrayContaining(checked));
  });
});
