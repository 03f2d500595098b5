// `push` as a user calls it: every kind of source, what it prints, and how it ends.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokens } from '../support/door-1.ts';
import { buildLayouts, type Layouts } from '../support/oci-layout.ts';
import { pull } from '../support/pulled.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type RegistryProxy, startProxy } from '../support/registry-door.ts';

const commandLine = join(import.meta.dirname, '../../cli/main.ts');
const run = promisify(execFile);

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-'));
  layouts = await buildLayouts(join(directory, 'layouts'), 9_000_001);
  const repositories = ['directory', 'tar', 'stdin', 'docker', 'all', 'broken', 'again', 'interrupted'];
  proxy = await startProxy(
    join(directory, 'data'),
    repositories.map((name) => `team-a/${name}`),
  );
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

type Ended = { status: number | null; out: string; err: string };

const start = (args: string[], token: string) =>
  spawn(process.execPath, [commandLine, 'push', '--endpoint', proxy.proxyUrl, ...args], {
    env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: token },
  });

async function push(
  args: string[],
  { token = tokens.a, input = '' }: { token?: string; input?: string } = {},
): Promise<Ended> {
  const child = start(args, token);
  if (input === '') child.stdin.end();
  else createReadStream(input).pipe(child.stdin);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [status] = await once(child, 'close');
  return { status, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/** What docker saved before version 25: no manifests, layers as plain tars, one a link to another. */
async function saveAsDocker(): Promise<string> {
  const saved = join(directory, 'saved');
  const layer = randomBytes(5_000_000);
  await mkdir(join(saved, 'one'), { recursive: true });
  await mkdir(join(saved, 'two'));
  await writeFile(join(saved, 'one/layer.tar'), layer);
  await symlink('../one/layer.tar', join(saved, 'two/layer.tar'));
  const diffIds = [digestOf(layer), digestOf(layer)];
  await writeFile(
    join(saved, 'config.json'),
    JSON.stringify({ rootfs: { type: 'layers', diff_ids: diffIds } }),
  );
  const listed = [
    {
      Config: 'config.json',
      RepoTags: ['app:1.0', 'app:stable'],
      Layers: ['one/layer.tar', 'two/layer.tar'],
    },
  ];
  await writeFile(join(saved, 'manifest.json'), JSON.stringify(listed));
  await run('tar', [
    '-cf',
    join(directory, 'saved.tar'),
    '-C',
    saved,
    'one',
    'two',
    'config.json',
    'manifest.json',
  ]);
  return join(directory, 'saved.tar');
}

describe('push takes', () => {
  it('a layout in a directory, and sends nothing the second time', async () => {
    const args = [layouts.directories.single, 'team-a/directory:1.0'];
    const first = await push(args);
    expect([first.status, first.out]).toEqual([0, expect.stringContaining('3 of 3 layers sent')]);
    expect((await pull(proxy.ecrUrl, 'team-a/directory', '1.0')).digest).toBe(layouts.digests.single);
    expect((await push(args)).out).toContain('0 of 3 layers sent, 0 bytes; the others were there.');
  });

  it('a layout in an archive, of several platforms', async () => {
    const archive = join(directory, 'multi.tar');
    await run('tar', ['-cf', archive, '-C', layouts.directories.multi, '.']);
    const { status, out } = await push([archive, 'team-a/tar', '--json']);
    expect(status).toBe(0);
    const { images } = JSON.parse(out);
    expect(images).toHaveLength(3);
    // Its own name in the layout is its tag where none is given.
    expect(images.at(-1)).toMatchObject({ digest: layouts.digests.multi, tag: 'multi', outcome: 'pushed' });
    expect((await pull(proxy.ecrUrl, 'team-a/tar', 'multi')).children).toHaveLength(2);
  });

  it('an artifact that refers to an image', async () => {
    const { status } = await push([layouts.directories.artifact, 'team-a/directory:sbom']);
    expect(status).toBe(0);
    expect((await pull(proxy.ecrUrl, 'team-a/directory', 'sbom')).subject).toBe(layouts.digests.single);
  });

  it('a compressed archive from standard input', async () => {
    const archive = join(directory, 'single.tar.gz');
    await run('tar', ['-czf', archive, '-C', layouts.directories.single, '.']);
    const { status, err } = await push(['-', 'team-a/stdin:1.0'], { input: archive });
    expect([status, err]).toEqual([0, expect.stringContaining(' MiB of ')]);
    expect((await pull(proxy.ecrUrl, 'team-a/stdin', '1.0')).digest).toBe(layouts.digests.single);
  });

  it('what docker saved before it wrote layouts, with its tags', async () => {
    const { status, err } = await push([await saveAsDocker(), 'team-a/docker']);
    expect([status, err.includes('rror')]).toEqual([0, false]);
    const [pinned, moving] = [
      await pull(proxy.ecrUrl, 'team-a/docker', '1.0'),
      await pull(proxy.ecrUrl, 'team-a/docker', 'stable'),
    ];
    expect(pinned.digest).toBe(moving.digest);
    expect(pinned.diffIds).toHaveLength(2);
  });
});

describe('push ends with', () => {
  const rows: [string, number, string[], { token?: string }, RegExp][] = [
    [
      '2 for a source that is not there',
      2,
      ['nowhere', 'team-a/broken'],
      {},
      /nowhere cannot be read \(ENOENT\)/,
    ],
    ['2 for a destination that is none', 2, ['nowhere', 'team-a/broken:'], {}, /no DESTINATION/],
    [
      '2 without a token',
      2,
      ['nowhere', 'team-a/broken'],
      { token: '' },
      /No token: set ECR_UPLOAD_PROXY_TOKEN/,
    ],
    [
      '3 for a token that the proxy does not know',
      3,
      ['SINGLE', 'team-a/broken:x'],
      { token: 'eup_team-a-ci_no' },
      /UnrecognizedClientException/,
    ],
    ['3 for what the policy forbids', 3, ['SINGLE', 'team-b/app:x'], {}, /No policy lets this client/],
    [
      '3 for a tag that the policy forbids',
      3,
      ['SINGLE', 'team-a/directory:latest'],
      {},
      /the tag latest is not allowed/,
    ],
  ];
  it.each(rows)('%s', async (_, status, args, options, message) => {
    const filled = args.map((argument) => (argument === 'SINGLE' ? layouts.directories.single : argument));
    const ended = await push(filled, options);
    expect([ended.status, ended.err]).toEqual([status, expect.stringMatching(message)]);
    expect(ended.err).not.toContain('eup_');
  });

  it('2 for a source that lacks what it names', async () => {
    const broken = join(directory, 'broken');
    await mkdir(broken);
    for (const file of ['index.json', 'oci-layout'])
      await writeFile(join(broken, file), await readFile(join(layouts.directories.single, file)));
    const ended = await push([broken, 'team-a/broken:x']);
    expect([ended.status, ended.err]).toEqual([
      2,
      expect.stringMatching(/the source has no blobs\/sha256\//),
    ]);
  });

  it('130 after Ctrl-C, and the next run makes it whole', async () => {
    const args = [layouts.directories.single, 'team-a/interrupted:1.0'];
    const child = start(args, tokens.a);
    child.stderr.once('data', () => child.kill('SIGINT'));
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
    expect((await push(args)).status).toBe(0);
    expect((await pull(proxy.ecrUrl, 'team-a/interrupted', '1.0')).digest).toBe(layouts.digests.single);
  });
});
