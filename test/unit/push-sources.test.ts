// What `push` reads of folders and of streams, and what it refuses: nothing from outside, nothing without an end.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryFiles } from '../../client/push/directory-files.ts';
import { openSource } from '../../client/push/source.ts';
import { layout, savedImage, tarOf, writeMembers } from '../support/hostile-archives.ts';
import { bytesOf, expectImage, readSource, secret } from '../support/sources.ts';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-sources-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let made = 0;
const nextPath = (): string => join(directory, `source-${made++}`);

describe('a folder is read', () => {
  it('with links that stay within it', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    await rm(join(path, 'one'), { recursive: true });
    await mkdir(join(path, 'two'));
    await writeFile(join(path, 'two/layer.tar'), 'layer');
    await symlink('two', join(path, 'one'));
    expectImage(await readSource(path));
  });

  it('by a link to it', async () => {
    const link = nextPath();
    await symlink(await writeMembers(nextPath(), layout()), link);
    expectImage(await readSource(link), '1.0');
  });
});

describe('a folder is refused', () => {
  const leadsOut =
    'one/layer.tar in the source leads out of it: if you trust its links, copy it with cp -rL and push the copy';
  const withLayer = async (make: (path: string) => Promise<unknown>) => {
    const path = await writeMembers(nextPath(), savedImage());
    await rm(join(path, 'one/layer.tar'));
    await make(join(path, 'one/layer.tar'));
    return readSource(path);
  };

  it.each(['relative', 'absolute'])('for a link out of it that is %s', async (kind) => {
    const outside = nextPath();
    await writeFile(outside, 'layer');
    const target = kind === 'absolute' ? outside : join('../..', outside.slice(directory.length));
    expect(await withLayer((path) => symlink(target, path))).toBe(leadsOut);
  });

  it('for a folder in it that is a link out of it', async () => {
    const outside = await writeMembers(nextPath(), [{ name: 'layer.tar', bytes: 'layer' }]);
    const path = await writeMembers(nextPath(), savedImage());
    await rm(join(path, 'one'), { recursive: true });
    await symlink(outside, join(path, 'one'));
    expect(await readSource(path)).toBe(leadsOut);
  });

  it('for a folder next to it whose name begins the same', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    await writeMembers(`${path}-other`, [{ name: 'layer', bytes: 'layer' }]);
    await rm(join(path, 'one/layer.tar'));
    await symlink(`${path}-other/layer`, join(path, 'one/layer.tar'));
    expect(await readSource(path)).toBe(leadsOut);
  });

  it('for a FIFO, without waiting for a writer', async () => {
    expect(await withLayer((path) => run('mkfifo', [path]))).toBe('one/layer.tar in the source is no file');
  });

  it('for a socket', async () => {
    const server = createServer();
    const message = await withLayer(async (path) => {
      await new Promise<void>((resolve) => server.listen(path, resolve));
    });
    server.close();
    expect(message).toBe('one/layer.tar in the source cannot be read (ENXIO)');
  });

  it('for a folder in the place of a file', async () => {
    expect(await withLayer((path) => mkdir(path))).toBe('one/layer.tar in the source is no file');
  });

  it('for a link to itself', async () => {
    expect(await withLayer((path) => symlink('layer.tar', path))).toBe(
      'one/layer.tar in the source cannot be read (ELOOP)',
    );
  });

  it('that is a socket or a device itself', async () => {
    expect(await readSource('/dev/zero')).toBe('/dev/zero is neither a folder nor a file nor a pipe');
  });

  it('for a file that becomes shorter while it is pushed', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    const opened = await openSource(path, { input: Readable.from([]) });
    await writeFile(join(path, 'one/layer.tar'), 'l');
    await expect(Promise.all(opened.blobs.map(bytesOf))).rejects.toThrow(
      /^one\/layer\.tar in the source has become shorter while it was read$/,
    );
  });

  it('for a file that has become a link out of it while it is pushed', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    const opened = await openSource(path, { input: Readable.from([]) });
    await rm(join(path, 'one/layer.tar'));
    await symlink('/etc/hostname', join(path, 'one/layer.tar'));
    await expect(Promise.all(opened.blobs.map(bytesOf))).rejects.toThrow(leadsOut);
  });
});

/** A folder is taken away, a link out is put in its place, and back again, as fast as it goes. */
const swapping = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  process.chdir(process.argv[1]);
  for (;;) {
    renameSync('one', 'hidden');
    symlinkSync('../outside', 'one');
    unlinkSync('one');
    renameSync('hidden', 'one');
  }`;

it.skipIf(process.platform !== 'linux')(
  'a folder shows nothing from outside, however it is changed',
  async () => {
    const path = await writeMembers(join(directory, 'racing'), savedImage());
    await writeMembers(join(directory, 'outside'), [{ name: 'layer.tar', bytes: secret }]);
    const swapper = spawn(process.execPath, ['-e', swapping, path], { stdio: 'ignore' });
    try {
      const files = await directoryFiles(path);
      const seen = new Set<string>();
      for (const end = performance.now() + 3_000; performance.now() < end; ) {
        seen.add(
          await files
            .find('one/layer.tar')
            .then((file) => text(Readable.from(file?.open(0) ?? [])))
            .catch(String),
        );
      }
      expect([...seen].filter((bytes) => bytes.includes(secret))).toEqual([]);
    } finally {
      swapper.kill();
      await once(swapper, 'exit');
    }
  },
);

describe('a pipe', () => {
  it('is read to its end, whenever its writer comes', async () => {
    const path = nextPath();
    await run('mkfifo', [path]);
    const reading = readSource(path);
    await writeFile(path, gzipSync(tarOf(layout())));
    expectImage(await reading, '1.0');
  });

  it('is refused where it holds something else', async () => {
    const path = nextPath();
    await run('mkfifo', [path]);
    const reading = readSource(path);
    await writeFile(path, '#!/bin/sh');
    expect(await reading).toMatch(/source-\d+ is no tar archive$/);
  });

  it('ends with the reason of the signal, where nobody writes', async () => {
    const path = nextPath();
    await run('mkfifo', [path]);
    const reason = new Error('ended by SIGTERM');
    const interruption = new AbortController();
    const reading = readSource(path, { signal: interruption.signal });
    setTimeout(() => interruption.abort(reason), 50);
    await expect(reading).rejects.toBe(reason);
  });

  it.each(['-', '/dev/stdin', '/dev/fd/0'])('is standard input as %s', async (name) => {
    if (name !== '-' && (await stat(name)).isFile()) {
      return;
    }
    expectImage(await readSource(name, { input: Readable.from([tarOf(layout())]) }), '1.0');
  });
});

describe('a stream', () => {
  const spools = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter(
      (name) => name.startsWith('ecr-upload-proxy-') && !name.includes('tests'),
    );
  const endless = () =>
    Readable.from(
      (async function* () {
        for (;;) {
          yield Buffer.alloc(65_536);
        }
      })(),
    );

  it('is refused where it has no end, and nothing of it stays', async () => {
    const before = await spools();
    expect(await readSource('-', { input: endless(), maxUnpackedBytes: 1_000_000 })).toMatch(
      /^standard input takes more than 1000000 bytes unpacked: if you trust it, give a larger --max-unpacked-size$/,
    );
    expect(await spools()).toEqual(before);
  });

  it('is refused where it unpacks to more than it may', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    expect(await readSource('-', { input: Readable.from([bomb]), maxUnpackedBytes: 1_000_000 })).toMatch(
      /--max-unpacked-size/,
    );
    const twice = Buffer.concat([
      gzipSync(tarOf(layout()).subarray(0, 1_000)),
      gzipSync(tarOf(layout()).subarray(1_000)),
    ]);
    expectImage(await readSource('-', { input: Readable.from([twice]) }), '1.0');
  });

  it('ends with the reason of its signal', async () => {
    const interruption = new AbortController();
    const reason = new Error('ended by SIGTERM');
    const reading = readSource('-', { input: new Readable({ read() {} }), signal: interruption.signal });
    setTimeout(() => interruption.abort(reason), 50);
    await expect(reading).rejects.toBe(reason);
  });
});
