// `push` as a user calls it on sources that were made to harm: how it ends, what it prints, what it leaves behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layout, savedImage, tarOf, writeMembers } from '../support/hostile-archives.ts';

const commandLine = join(import.meta.dirname, '../../cli/main.ts');

let directory: string;
/** The command's own temporary folder: what is in it afterwards was left behind. */
let temporary: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hostile-'));
  temporary = join(directory, 'temporary');
  await mkdir(temporary);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Nothing listens there: a source that is taken ends with 4. */
const start = (args: string[]) =>
  spawn(process.execPath, [commandLine, 'push', '--endpoint', 'http://127.0.0.1:9', ...args], {
    env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: 'eup_team-a-ci_none', TMPDIR: temporary },
  });

type Ended = { status: number | null; signal: string | null; err: string };

async function ended(child: ReturnType<typeof start>): Promise<Ended> {
  const err: Buffer[] = [];
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [status, signal] = await once(child, 'close');
  return { status, signal, err: Buffer.concat(err).toString() };
}

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

const leftBehind = async (): Promise<string[]> =>
  (await readdir(temporary)).filter((name) => name.startsWith('ecr-upload-proxy-'));

/** Linux tells what a process has open, also what no folder lists any more. */
async function hasOpen(pid: number | undefined, name: string): Promise<boolean> {
  const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const paths = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return paths.some((path) => path.includes(name));
}

describe('push refuses with 2, in words that name the place,', () => {
  it('an archive whose entry has a negative size', async () => {
    const path = await file(
      'negative.tar',
      tarOf([...savedImage(), { name: 'endless', size: '-0000001000' }]),
    );
    const { status, err } = await ended(start([path, 'team-a/app:x']));
    expect([status, err]).toEqual([2, expect.stringMatching(/negative\.tar is damaged: .*endless/)]);
  });

  it('a config that is not JSON', async () => {
    const path = await file('raw.tar', tarOf(savedImage({ config: 'not json' })));
    const { status, err } = await ended(start([path, 'team-a/app:x']));
    expect([status, err]).toEqual([2, expect.stringContaining('config.json in the source is not JSON')]);
  });

  it('a folder that names a file outside of it', async () => {
    await writeFile(join(directory, 'secret'), 'secret');
    const manifest = [{ Config: 'config.json', RepoTags: null, Layers: ['../secret'] }];
    const path = await writeMembers(join(directory, 'climbing'), savedImage({ manifest }));
    const { status, err } = await ended(start([path, 'team-a/app:x']));
    expect([status, err]).toEqual([2, expect.stringContaining('../secret')]);
  });

  it('a folder with a link to a file outside of it', async () => {
    await writeFile(join(directory, 'hidden'), 'layer');
    const path = await writeMembers(join(directory, 'linking'), savedImage());
    await rm(join(path, 'one/layer.tar'));
    await symlink('../../hidden', join(path, 'one/layer.tar'));
    const { status, err } = await ended(start([path, 'team-a/app:x']));
    expect([status, err]).toEqual([
      2,
      expect.stringContaining('one/layer.tar in the source leads out of it'),
    ]);
  });

  it('an archive that unpacks to more than it may, and leaves nothing behind', async () => {
    const path = await file('bomb.tar.gz', gzipSync(Buffer.alloc(300 * 1_048_576), { level: 1 }));
    const { status, err } = await ended(start([path, 'team-a/app:x']));
    expect([status, err]).toEqual([2, expect.stringContaining('--max-unpacked-size')]);
    expect(await leftBehind()).toEqual([]);
  });

  it('an endless standard input', async () => {
    const child = start(['-', 'team-a/app:x', '--max-unpacked-size', '4MiB']);
    const zeros = Buffer.alloc(65_536);
    Readable.from(
      (function* () {
        for (;;) {
          yield zeros;
        }
      })(),
    )
      .pipe(child.stdin)
      .on('error', () => {});
    const { status, err } = await ended(child);
    expect([status, err]).toEqual([2, expect.stringContaining('--max-unpacked-size')]);
    expect(await leftBehind()).toEqual([]);
  });

  it('a name that would draw on the terminal, without drawing', async () => {
    const manifest = [{ Config: '\u001b]0;owned\u0007\u009b2J.json', RepoTags: null, Layers: [] }];
    const path = await file('drawing.tar', tarOf(savedImage({ manifest })));
    const { status, err } = await ended(start([path, 'team-a/app:x']));
    expect(status).toBe(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

it.skipIf(process.platform !== 'linux')('push names the folder where there is no more room', async () => {
  // Files of this process may have 64 blocks at most.
  const command = [
    'ulimit -f 64; exec "$@"',
    'sh',
    process.execPath,
    commandLine,
    'push',
    '-',
    'team-a/app:x',
  ];
  const child = spawn('sh', ['-c', ...command, '--endpoint', 'http://127.0.0.1:9'], {
    env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: 'eup_team-a-ci_none', TMPDIR: temporary },
  });
  child.stdin.on('error', () => {}).end(Buffer.alloc(1_048_576));
  const { err } = await ended(child);
  expect(err).toBe(
    `ecr-upload-proxy: there is no more room in ${temporary} (EFBIG): set TMPDIR to a folder that has it\n`,
  );
  expect(await leftBehind()).toEqual([]);
});

describe.skipIf(process.platform !== 'linux')('push ends at once', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s while it spools, and leaves nothing', async (signal) => {
    const child = start(['-', 'team-a/app:x']);
    const ending = ended(child);
    child.stdin.write(tarOf(layout()));
    while (child.exitCode === null && !(await hasOpen(child.pid, 'ecr-upload-proxy-'))) {
      await pause(50);
    }
    child.kill(signal);
    const { status, err } = await ending;
    expect([status, err]).toEqual([signal === 'SIGINT' ? 130 : 143, expect.stringContaining(signal)]);
    expect(await leftBehind()).toEqual([]);
  });

  it('while it reads a layer of 32 GiB', async () => {
    const path = await writeMembers(join(directory, 'large'), savedImage());
    await truncate(join(path, 'one/layer.tar'), 32 * 1_024 * 1_048_576);
    const child = start([path, 'team-a/app:x']);
    const ending = ended(child);
    while (child.exitCode === null && !(await hasOpen(child.pid, 'layer.tar'))) {
      await pause(50);
    }
    const killedAt = performance.now();
    child.kill('SIGTERM');
    expect((await ending).status).toBe(143);
    expect(performance.now() - killedAt).toBeLessThan(20_000);
  });
});
