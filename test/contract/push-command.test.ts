// `push` as a user calls it: every kind of source, what it prints, and how it ends.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../support/bridge.ts';
import { type Member, writeMembers } from '../support/hostile-archives.ts';
import { fullyNamed, LayoutMembers, onPlatform } from '../support/layout-members.ts';
import { buildLayouts, type Layouts } from '../support/oci-layout.ts';
import { pull } from '../support/pulled.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const commandLine = join(import.meta.dirname, '../../cli/main.ts');
const run = promisify(execFile);

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-'));
  layouts = await buildLayouts(join(directory, 'layouts'), 9_000_001);
  const repositories = ['directory', 'tar', 'stdin', 'docker', 'broken', 'chosen', 'interrupted'];
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
  if (input === '') {
    child.stdin.end();
  } else {
    createReadStream(input).pipe(child.stdin);
  }
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

describe('push of one of several', () => {
  const made = () => {
    const source = new LayoutMembers();
    const [amd64, arm64] = ['linux/amd64', 'linux/arm64'].map((platform) =>
      onPlatform(source.image(platform), platform),
    );
    if (!amd64 || !arm64) {
      expect.fail();
    }
    const index = fullyNamed(source.index([amd64, arm64]), 'docker.io/library/app:1.0', '1.0');
    return { source, amd64, arm64, index };
  };
  const writeTo = (name: string, members: Member[]) => writeMembers(join(directory, name), members);

  it('gives the tag to the platform, and reports where it came from', async () => {
    const { source, arm64, index } = made();
    const path = await writeTo('platforms', source.files([index]));
    const args = [path, 'team-a/chosen:arm64', '--platform', 'linux/arm64'];
    const { status, out } = await push([...args, '--json']);
    const report: unknown = JSON.parse(out);
    expect(status).toBe(0);
    expect(report).toEqual({
      source: path,
      repositoryName: 'team-a/chosen',
      notes: [],
      layers: [
        expect.objectContaining({ outcome: 'pushed' }),
        expect.objectContaining({ outcome: 'pushed' }),
      ],
      images: [
        {
          names: [],
          platform: 'linux/arm64',
          digest: arm64.digest,
          mediaType: arm64.mediaType,
          tags: ['arm64'],
          tag: 'arm64',
          outcome: 'pushed',
        },
      ],
    });
    expect((await pull(proxy.ecrUrl, 'team-a/chosen', 'arm64')).digest).toBe(arm64.digest);
    expect((await push(args)).out).toContain(`\nteam-a/chosen:arm64@${arm64.digest} (linux/arm64)\n`);
  });

  it('gives the tag to the only platform that is there, and says which is not', async () => {
    const { source, amd64, arm64, index } = made();
    const path = await writeTo('partial', source.files([index], [arm64]));
    const { status, err } = await push([path, 'team-a/chosen:partial']);
    expect([status, err]).toEqual([
      0,
      expect.stringMatching(
        /^Note: docker\.io\/library\/app:1\.0 is an index of which the source lacks linux\/arm64: /,
      ),
    ]);
    expect((await pull(proxy.ecrUrl, 'team-a/chosen', 'partial')).digest).toBe(amd64.digest);
  });

  it('ends with 2 where it is not chosen, and pushes nothing', async () => {
    const source = new LayoutMembers();
    const roots = ['app:1.0', 'web:2.0'].map((name) => fullyNamed(source.image(), name));
    const path = await writeTo('several', source.files(roots));
    const { status, out, err } = await push([path, 'team-a/chosen:one']);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain('choose one by --image app:1.0 (linux/amd64) or --image web:2.0 (linux/amd64), or');
    expect((await fetch(`${proxy.ecrUrl}/v2/team-a/chosen/manifests/one`)).status).toBe(404);
    const chosen = await push([path, 'team-a/chosen:one', '--image', 'web']);
    expect([chosen.status, chosen.out]).toEqual([
      0,
      expect.stringContaining(' (linux/amd64; from web:2.0)\n'),
    ]);
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
    [
      '2 for a source that is not there, whose tag is the hash of a registry endpoint’s image',
      2,
      ['nowhere', `team-a/broken:${'0'.repeat(64)}`],
      {},
      /nowhere cannot be read \(ENOENT\)/,
    ],
    ['2 for a destination that is none', 2, ['nowhere', 'team-a/broken:'], {}, /no DESTINATION/],
    [
      '2 for a destination with a digest',
      2,
      ['nowhere', `team-a/broken@sha256:${'0'.repeat(64)}`],
      {},
      /no DESTINATION/,
    ],
    [
      '2 for a platform that is none',
      2,
      ['nowhere', 'team-a/broken', '--platform', 'arm64'],
      {},
      /arm64 is no platform/,
    ],
    [
      '2 for one and all',
      2,
      ['nowhere', 'team-a/broken', '--all', '--image', 'x'],
      {},
      /cannot be used with option/,
    ],
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
    for (const file of ['index.json', 'oci-layout']) {
      await writeFile(join(broken, file), await readFile(join(layouts.directories.single, file)));
    }
    const ended = await push([broken, 'team-a/broken:x']);
    expect([ended.status, ended.err]).toEqual([
      2,
      expect.stringMatching(/the source has no blobs\/sha256\//),
    ]);
  });

  it('2 for a layer that is not what its digest says, with its file, and without advice to try again', async () => {
    const source = new LayoutMembers();
    const members = source
      .files([source.image()])
      .map((member) => (member.bytes === 'layer 1' ? { ...member, bytes: 'layer X' } : member));
    const ended = await push([await writeMembers(join(directory, 'damaged'), members), 'team-a/broken:x']);
    expect([ended.status, ended.err]).toEqual([
      2,
      expect.stringMatching(
        /: blobs\/sha256\/[0-9a-f]{64} in the source is damaged: the layer read is sha256:/,
      ),
    ]);
    expect(ended.err).not.toContain('again');
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
