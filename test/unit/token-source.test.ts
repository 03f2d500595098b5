// Tokens that expire: when their file is read again, and when their command is run again.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenOfCommand, tokenOfFile } from '../../client/token-source.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'token-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function jwt(expiresInSeconds: number, serial: number): string {
  const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${part({})}.${part({ exp: Math.floor(Date.now() / 1_000) + expiresInSeconds, serial })}.x`;
}

describe('the token of a file', () => {
  it('is read once, and again when it was refused', async () => {
    const file = join(directory, 'refused');
    await writeFile(file, 'first\n');
    const token = tokenOfFile(file);
    expect(await token()).toBe('first');
    await writeFile(file, 'second\n');
    expect(await token()).toBe('first');
    expect(await token('first')).toBe('second');
    // A request that was sent with the first one learns of the second without another reading.
    await writeFile(file, 'third\n');
    expect(await token('first')).toBe('second');
  });

  it('that is about to expire is read again, but not for each request', async () => {
    const file = join(directory, 'expiring');
    const first = jwt(30, 1);
    await writeFile(file, first);
    const token = tokenOfFile(file);
    expect(await token()).toBe(first);
    await writeFile(file, jwt(3_600, 2));
    expect(await token()).toBe(first);
  });

  it('that is missing, or empty, is a problem that names the file', async () => {
    const file = join(directory, 'missing');
    const token = tokenOfFile(file);
    await expect(token()).rejects.toThrow(`the token file ${file} cannot be read (ENOENT)`);
    await writeFile(file, '\n');
    await expect(token()).rejects.toThrow('is empty');
    await writeFile(file, 'there');
    expect(await token()).toBe('there');
  });
});

describe('the token of a command', () => {
  it('is what it prints; requests at the same time share one run', async () => {
    const log = join(directory, 'runs');
    const token = tokenOfCommand(`echo run >> '${log}'; echo printed`);
    expect(await Promise.all([token(), token(), token()])).toEqual(['printed', 'printed', 'printed']);
    expect(await readFile(log, 'utf8')).toBe('run\n');
  });

  it('that fails is a problem without what was printed', async () => {
    const failing = tokenOfCommand('echo s3cr3t; exit 3')();
    await expect(failing).rejects.toMatchObject({
      name: 'TokenProblem',
      message: expect.stringContaining('failed (3)'),
    });
    await expect(tokenOfCommand('true')()).rejects.toThrow('printed nothing');
  });
});
