// `ecr-upload-proxy token`, as an operator runs it: against Secrets Manager's stand-in, and against the local file.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { secretMaxAgeMs } from '../../api/limits.ts';
import { isMintedToken } from '../../cli/tokens/mint.ts';
import { changeClient } from '../../cli/tokens/secret.ts';
import { secretsManagerStore } from '../../cli/tokens/secret-store.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { resourceApi } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

const main = join(import.meta.dirname, '../../cli/main.ts');

type Run = { status: number; out: string; err: string };

/** Runs the command in a process of its own. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const options = { env: { PATH: process.env.PATH, ...env } };
  return promisify(execFile)(process.execPath, [main, 'token', ...args], options).then(
    ({ stdout, stderr }) => ({ status: 0, out: stdout.trim(), err: stderr }),
    (failure: { code: number; stdout: string; stderr: string }) => ({
      status: failure.code,
      out: failure.stdout.trim(),
      err: failure.stderr,
    }),
  );
}

let proxy: InProcess;
let aws: (...args: string[]) => Promise<Run>;
beforeEach(async () => {
  proxy = await startInProcess();
  const { url, secretArn } = proxy.secrets;
  const env = {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    ECR_UPLOAD_PROXY_SECRET_ID: secretArn,
  };
  aws = (...args) => run(args, env);
});
afterEach(async () => {
  vi.useRealTimers();
  await proxy.close();
});

/** Another 30 seconds later, as the functions' clock has it. */
function pass(ms: number) {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}
const status = async (token: string) => (await resourceApi(proxy.send, token).initiate()).status;

const secret = () => JSON.parse(readFileSync(proxy.secrets.file, 'utf8'));

describe('a client’s token', () => {
  it('is printed once, works, and is kept as a hash alone', async () => {
    const { out, err } = await aws('create', 'team-b-new');
    expect(isMintedToken(out)).toBe(true);
    expect(err).toMatch(/valid until \d{4}-/);
    expect(await status(out)).toBe(403);
    expect(JSON.stringify(secret())).not.toContain(out);
    expect(secret().clients['team-b-new']).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{8}$/),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        createdAt: expect.any(String),
        expiresAt: expect.any(String),
      },
    ]);
  });

  it('is rotated without downtime: both work, then the new one alone', async () => {
    const { out: first } = await aws('create', 'x', '--expires-in', '30d');
    const { out: second, err } = await aws('rotate', 'x', '--overlap', '2h');
    expect(err).toContain('The token before it ends by');
    expect([await status(first), await status(second)]).toEqual([403, 403]);
    pass(2 * 3_600_000 + secretMaxAgeMs);
    expect([await status(first), await status(second)]).toEqual([401, 403]);
  });

  it('is known to running functions at once when it was just made or rotated', async () => {
    const { out: first } = await aws('create', 'x');
    expect(await status(first)).toBe(403);
    const { out: second } = await aws('rotate', 'x');
    expect(await status(second)).toBe(403);
  });

  it('of another client’s, which is odd in the secret, is no matter: all commands go on', async () => {
    const { out } = await aws('create', 'x');
    const { clients, ...keys } = secret();
    const odd = JSON.stringify({ clients: { ...clients, odd: [{ sha256: 'none' }] }, ...keys });
    writeFileSync(proxy.secrets.file, `\uFEFF${odd}`);
    const list = await aws('list', '--json');
    expect(JSON.parse(list.out)).toContainEqual(expect.objectContaining({ client: 'x' }));
    expect(list.err).toContain('The tokens of odd are not in their form');
    expect((await aws('rotate', 'odd')).err).toContain('revoke odd --all');
    expect(await aws('rotate', 'x')).toMatchObject({ status: 0 });
    expect(secret().clients.odd).toEqual([{ sha256: 'none' }]);
    expect(await status(out)).toBe(403);
    expect(await aws('revoke', 'odd', '--all')).toMatchObject({ status: 0 });
    expect(secret().clients).not.toHaveProperty('odd');
  });

  it('is revoked in running functions within a minute', async () => {
    const { out } = await aws('create', 'x');
    expect(await status(out)).toBe(403);
    expect(await aws('revoke', 'x')).toMatchObject({ status: 0 });
    expect(secretMaxAgeMs).toBeLessThan(60_000);
    pass(secretMaxAgeMs + 1);
    expect(await status(out)).toBe(401);
  });

  it('is one of two at most', async () => {
    await aws('create', 'x');
    await aws('rotate', 'x');
    const third = await aws('rotate', 'x');
    expect(third).toMatchObject({ status: 1, out: '' });
    expect(third.err).toMatch(/2 live tokens \([0-9a-f]{8}, [0-9a-f]{8}\)/);
    expect((await aws('create', 'x')).err).toContain('rotate it');
  });

  it('of two is revoked by its id, and never by chance', async () => {
    const { out: first } = await aws('create', 'x');
    const { out: second } = await aws('rotate', 'x');
    expect(await aws('revoke', 'x')).toMatchObject({ status: 1 });
    const [{ id }] = secret().clients.x;
    expect(await aws('revoke', 'x', '--token', id)).toMatchObject({ status: 0 });
    pass(secretMaxAgeMs + 1);
    expect([await status(first), await status(second)]).toEqual([401, 403]);
    expect(await aws('revoke', 'x', '--all')).toMatchObject({ status: 0 });
    expect(secret().clients).not.toHaveProperty('x');
  });
});

describe('the list of tokens', () => {
  it('says of each when it ends, and shows no hash unless it is asked', async () => {
    await aws('create', 'x', '--expires-in', 'never');
    const { out } = await aws('list', 'x', '--json');
    expect(JSON.parse(out)).toEqual([
      {
        client: 'x',
        token: secret().clients.x[0].id,
        createdAt: expect.any(String),
        expiresAt: null,
        live: true,
      },
    ]);
    const { sha256 } = secret().clients.x[0];
    expect((await aws('list')).out).not.toContain(sha256);
    expect((await aws('list')).out).toContain('team-a-ci');
    expect((await aws('list', '--hashes')).out).toContain(sha256);
  });
});

describe('the secret', () => {
  it('keeps what the commands do not know: the sealing key and members of others', async () => {
    const before = { ...secret(), note: 'ours' };
    writeFileSync(proxy.secrets.file, JSON.stringify(before));
    await aws('create', 'x');
    const { x: _, ...clients } = secret().clients;
    expect({ ...secret(), clients }).toEqual(before);
  });

  it('loses no update, however many write at the same time', async () => {
    const { url, secretArn } = proxy.secrets;
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    const client = new SecretsManagerClient({ endpoint: url, region: 'eu-central-1', credentials });
    const sha256 = '0'.repeat(64);
    const add = (name: string) =>
      secretsManagerStore(client, secretArn).update((text) => changeClient(text, name, () => [{ sha256 }]));
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map(add));
    expect(Object.keys(secret().clients)).toEqual(expect.arrayContaining(names));
  });

  it('is not made larger than Secrets Manager takes, and stays as it was', async () => {
    const full = { ...secret(), note: 'x'.repeat(65_000) };
    writeFileSync(proxy.secrets.file, JSON.stringify(full));
    const { status: exit, err } = await aws('create', 'one-too-many');
    expect(exit).toBe(1);
    expect(err).toMatch(/would have \d+ bytes, and holds 65536\. Revoke clients/);
    expect(secret()).toEqual(full);
  });

  it('is not quoted when it is not what it should be', async () => {
    writeFileSync(proxy.secrets.file, '{"clients": SECRET-TEXT');
    const { status: exit, err } = await aws('create', 'x');
    expect(exit).toBe(1);
    expect(err).not.toContain('SECRET-TEXT');
  });
});

describe('the commands', () => {
  it('work on the local stack’s secret as well', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'token-'));
    const file = join(directory, 'secret.json');
    expect(await run(['list', '--local', file])).toMatchObject({
      status: 1,
      err: expect.stringContaining('npm start'),
    });
    writeFileSync(file, '{"clients":{},"sealingKey":"k"}');
    const { out } = await run(['create', 'x', '--local', file]);
    expect(isMintedToken(out)).toBe(true);
    expect(JSON.parse((await run(['list', '--json', '--local', file])).out)).toHaveLength(1);
    await Promise.all(['a', 'b', 'c'].map((name) => run(['create', name, '--local', file])));
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).clients).sort()).toEqual(['a', 'b', 'c', 'x']);
    rmSync(directory, { recursive: true });
  });

  it.each([
    [['create', 'x', '--secret-id', 'another'], 1, /ResourceNotFoundException/],
    [['create', 'Team_A'], 1, /lower-case letters/],
    [['create', 'x', '--expires-in', '3 weeks'], 1, /90d/],
    [['create', 'x', '--expires-in', '0d'], 1, /90d/],
    [['rotate', 'nobody'], 1, /no live token/],
    [['revoke', 'nobody'], 1, /no live token/],
    [['revoke', 'team-a-ci', '--token', '12345678'], 1, /No token 12345678/],
  ])('end with one line that says what is wrong: %s', async (args, exit, message) => {
    const { status: code, out, err } = await aws(...args);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/ at .*\.ts/);
  });

  it('ask where the secret is', async () => {
    expect(await run(['list'])).toMatchObject({ status: 2, err: expect.stringContaining('--secret-id') });
  });
});
