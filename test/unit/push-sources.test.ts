// What `push` reads of a source and what it refuses: archives and folders made by code, one fault in each.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenOptions, openSource } from '../../client/push/source.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { tagsOf } from '../../client/push/tags.ts';
import {
  layout,
  type Member,
  paxMember,
  savedImage,
  sha256Of,
  tarOf,
  writeMembers,
} from '../support/hostile-archives.ts';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sources-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let made = 0;
const nextPath = (): string => join(directory, `source-${made++}`);

/** The layers' bytes by digest, or the message of the problem; anything else fails the test. */
async function read(source: string, options: Partial<OpenOptions> = {}) {
  try {
    const opened = await openSource(source, { input: Readable.from([]), ...options });
    try {
      const blobs = new Map<string, Buffer>();
      for (const { digest, source } of opened.blobs)
        blobs.set(digest, await buffer(typeof source === 'function' ? source(0) : source));
      for (const [digest, bytes] of blobs) expect(sha256Of(bytes)).toBe(digest);
      return { blobs: blobs.size, roots: opened.roots };
    } finally {
      await opened.close();
    }
  } catch (failure) {
    if (failure instanceof SourceProblem) return failure.message;
    throw failure;
  }
}

async function readArchive(bytes: Uint8Array): Promise<Awaited<ReturnType<typeof read>>> {
  const path = nextPath();
  await writeFile(path, bytes);
  return read(path);
}

const root = (refName = 'app:1.0') => ({ roots: [expect.objectContaining({ refName })], blobs: 2 });

describe('an archive is read', () => {
  const long = `${'deep/'.repeat(60)}layer.tar`;
  const documents = savedImage().slice(1);
  const named = (name: string): Member[] =>
    savedImage({ manifest: [{ Config: 'config.json', RepoTags: ['app:1.0'], Layers: [name] }] }).slice(1);
  const rows: [string, Member[]][] = [
    ['as docker wrote it', savedImage()],
    ['with ./ before its names', savedImage().map(({ name, bytes = '' }) => ({ name: `./${name}`, bytes }))],
    [
      'before POSIX, without a magic',
      savedImage().map((member) => ({ ...member, patch: (header) => header.fill(0, 257) })),
    ],
    [
      'with a long name of GNU tar',
      [
        { name: '././@LongLink', type: 'L', bytes: `${long}\0` },
        { name: 'cut', bytes: 'layer' },
        ...named(long),
      ],
    ],
    ['with a long name of pax', [paxMember({ path: long }), { name: 'cut', bytes: 'layer' }, ...named(long)]],
    [
      'with a size of pax',
      [paxMember({ size: '5' }), { name: 'one/layer.tar', bytes: 'layer', size: '' }, ...documents],
    ],
    [
      'with a size in base-256',
      [
        { name: 'one/layer.tar', bytes: 'layer', size: Buffer.from('800000000000000000000005', 'hex') },
        ...documents,
      ],
    ],
    [
      'with sizes on what has no bytes',
      [
        { name: 'one', type: '5', size: '00000010000' },
        { name: 'x', type: '2', size: '00000010000' },
        ...savedImage(),
      ],
    ],
    [
      'with a symbolic link within',
      [
        { name: 'two/layer.tar', bytes: 'layer' },
        { name: 'one/layer.tar', type: '2', link: '../two/layer.tar' },
        ...documents,
      ],
    ],
    [
      'with a hard link to a hard link',
      [
        { name: 'a#?:ü', bytes: 'layer' },
        { name: 'b', type: '1', link: 'a#?:ü' },
        { name: 'one/layer.tar', type: '1', link: './b' },
        ...documents,
      ],
    ],
    ['with the last of a name', [{ name: 'one/layer.tar', bytes: 'other' }, ...savedImage()]],
    [
      'with a global header that names nothing',
      [{ ...paxMember({ comment: 'of git' }), type: 'g' }, ...savedImage()],
    ],
  ];
  it.each(rows)('%s', async (_, members) => {
    expect(await readArchive(tarOf(members))).toEqual(root());
  });

  it('as a layout, and compressed', async () => {
    expect(await readArchive(tarOf(layout()))).toEqual(root('1.0'));
    expect(await readArchive(gzipSync(tarOf(layout())))).toEqual(root('1.0'));
  });
});

describe('an archive is refused', () => {
  const size = (text: string | Uint8Array): Member[] => [...savedImage(), { name: 'odd', size: text }];
  const saved = tarOf(savedImage());
  const zeros = (count: number) => Buffer.alloc(count);
  const rows: [string, Uint8Array, RegExp][] = [
    [
      'for a negative size in octal',
      tarOf(size('-0000001000')),
      /damaged: odd, at byte \d+: its size is no number/,
    ],
    ['for a negative size in base-256', tarOf(size(Buffer.alloc(12, 0xff))), /odd, .* its size is no number/],
    [
      'for an enormous size in base-256',
      tarOf(size(Buffer.from('7fffffffffffffffffffffff', 'hex').fill(0x80, 0, 1))),
      /its size is no number/,
    ],
    ['for a size that is no number', tarOf(size('NaN')), /odd, .* its size is no number/],
    [
      'for a size after its end',
      tarOf(size('77777777777')),
      /odd, .* its 8589934591 bytes end after the archive's own end/,
    ],
    [
      'for a negative size of pax',
      tarOf([...savedImage(), paxMember({ size: '-512' }), { name: 'odd' }]),
      /damaged: .* its size is no number/,
    ],
    [
      'for an enormous size of pax',
      tarOf([...savedImage(), paxMember({ size: '9'.repeat(400) }), { name: 'odd' }]),
      /its size is no number/,
    ],
    [
      'for a pax header of 4 GB',
      tarOf([{ ...paxMember({}), size: '40000000000' }]),
      /its 4294967296 bytes end after/,
    ],
    [
      'for a pax header of 2 MB',
      tarOf([{ ...paxMember({ comment: 'x'.repeat(2_000_000) }) }]),
      /its extended header has \d+ bytes/,
    ],
    [
      'for a long name of 2 MB',
      tarOf([{ name: '././@LongLink', type: 'L', bytes: 'x'.repeat(2_000_000) }, { name: 'x' }]),
      /its extended header has \d+ bytes/,
    ],
    [
      'for a pax record without a length',
      tarOf([{ name: 'p', type: 'x', bytes: 'path=x\n' }, { name: 'x' }]),
      /its extended header is damaged/,
    ],
    [
      'for a pax record longer than its header',
      tarOf([{ name: 'p', type: 'x', bytes: '999 path=x\n' }, { name: 'x' }]),
      /its extended header is damaged/,
    ],
    [
      'for a pax record of no length',
      tarOf([{ name: 'p', type: 'x', bytes: '0 path=x\n' }, { name: 'x' }]),
      /its extended header is damaged/,
    ],
    [
      'for a zero byte in a name of pax',
      tarOf([paxMember({ path: 'a\0b' }), { name: 'x' }]),
      /its name holds a zero byte/,
    ],
    [
      'for a name that is not UTF-8',
      tarOf([{ name: 'x', patch: (header) => header.fill(0xe4, 0, 3) }]),
      /its name is not UTF-8/,
    ],
    [
      'for half a surrogate in a name of pax',
      tarOf([paxMember({ path: Buffer.from('eda080', 'hex') }), { name: 'x' }]),
      /its name is not UTF-8/,
    ],
    [
      'for a name that is meant for all',
      tarOf([{ ...paxMember({ path: 'index.json' }), type: 'g' }, ...savedImage()]),
      /it gives all entries one name or size/,
    ],
    [
      'for a sparse entry of GNU tar',
      tarOf([{ name: 'sparse', type: 'S' }, ...savedImage()]),
      /sparse, .* it is sparse, which is not read/,
    ],
    [
      'for a sparse entry of pax',
      tarOf([paxMember({ 'GNU.sparse.major': '1' }), { name: 'x' }]),
      /it is sparse, which is not read/,
    ],
    [
      'for a wrong checksum',
      Buffer.from(saved).fill(0x41, 1024, 1030),
      /damaged: at byte 1024 is no entry's header/,
    ],
    [
      'that is cut off in a file',
      saved.subarray(0, 515),
      /one\/layer\.tar, .* end after the archive's own end/,
    ],
    [
      'that is cut off in a header',
      saved.subarray(0, 1024 + 100),
      /damaged: at byte 1024 is no entry's header/,
    ],
    [
      'that is cut off between two files',
      saved.subarray(0, 1024),
      /neither an OCI layout nor a docker archive/,
    ],
    ['that is empty', zeros(0), /neither an OCI layout nor a docker archive/],
    ['that is one byte', zeros(1), /neither an OCI layout nor a docker archive/],
    ['that is text', Buffer.from('#!/bin/sh\n'.repeat(100)), /is no tar archive/],
    [
      'that is cut off and compressed',
      gzipSync(saved).subarray(0, 60),
      /cannot be unpacked: its gzip data is damaged or cut off/,
    ],
    ['that only says it is compressed', Buffer.from([0x1f, 0x8b]), /cannot be unpacked: its gzip data/],
    [
      'for a link that leads to itself',
      tarOf([{ name: 'one/layer.tar', type: '2', link: 'layer.tar' }, ...savedImage().slice(1)]),
      /names one\/layer\.tar and does not hold it/,
    ],
    [
      'for a link that leads out of it',
      tarOf([
        { name: 'etc/passwd', bytes: 'layer' },
        { name: 'one/layer.tar', type: '2', link: '../../etc/passwd' },
        ...savedImage().slice(1),
      ]),
      /does not hold it/,
    ],
    [
      'for a link by an absolute path',
      tarOf([
        { name: 'etc/passwd', bytes: 'layer' },
        { name: 'one/layer.tar', type: '2', link: '/etc/passwd' },
        ...savedImage().slice(1),
      ]),
      /does not hold it/,
    ],
    [
      'for a name that leads out of it',
      tarOf([{ name: 'x/../one/layer.tar', bytes: 'layer' }, ...savedImage().slice(1)]),
      /does not hold it/,
    ],
  ];
  it.each(rows)('%s', async (_, bytes, message) => {
    expect(await readArchive(bytes)).toMatch(message);
  });

  it('for more entries than an image has, soon', async () => {
    const member = tarOf([{ name: 'x' }], zeros(0));
    const before = process.cpuUsage();
    expect(await readArchive(Buffer.concat(Array<Buffer>(200_001).fill(member)))).toMatch(
      /has more entries than are read/,
    );
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(15_000);
  });

  it('for more names than an image has', async () => {
    const long = tarOf(
      [{ name: '././@LongLink', type: 'L', bytes: 'x'.repeat(1_000_000) }, { name: 'x' }],
      zeros(0),
    );
    expect(await readArchive(Buffer.concat(Array<Buffer>(20).fill(long)))).toMatch(
      /has more names than are read/,
    );
  });
});

describe('a document is refused, by its name,', () => {
  const listed = (members: object) =>
    savedImage({
      manifest: [{ Config: 'config.json', RepoTags: null, Layers: ['one/layer.tar'], ...members }],
    });
  const index = (root: object, more: object = {}) =>
    layout({ index: { manifests: [{ mediaType: 'x', digest: sha256Of('x'), size: 1, ...root }], ...more } });
  const rows: [string, Member[], RegExp][] = [
    ['that is not JSON', savedImage({ manifest: '[{' }), /^manifest\.json in the source is not JSON$/],
    ['that is empty', savedImage({ config: Buffer.alloc(0) }), /^config\.json in the source is not JSON$/],
    [
      'that is null',
      savedImage({ manifest: 'null' }),
      /^manifest\.json in the source is damaged: it is missing or not a list$/,
    ],
    [
      'that begins with a byte order mark',
      savedImage({ manifest: '\ufeff[]' }),
      /^manifest\.json in the source is not JSON: it begins with a byte order mark$/,
    ],
    [
      'that is not UTF-8',
      savedImage({ config: Buffer.from('{"\xe4":1}', 'latin1') }),
      /^config\.json in the source is not JSON: it is not UTF-8$/,
    ],
    ['that lists nothing', savedImage({ manifest: [] }), /^manifest\.json in the source lists no images$/],
    [
      'whose layers are an object',
      listed({ Layers: {} }),
      /^manifest\.json in the source is damaged: \[0\]\.Layers is missing or not a list$/,
    ],
    ['whose layer is a number', listed({ Layers: [1] }), /\[0\]\.Layers\[0\] is missing or not text$/],
    ['whose tag is a number', listed({ RepoTags: [1] }), /\[0\]\.RepoTags\[0\] is missing or not text$/],
    [
      'whose tag is half a surrogate pair',
      savedImage({
        manifest: '[{"Config":"config.json","RepoTags":["app:\\ud800"],"Layers":["one/layer.tar"]}]',
      }),
      /manifest\.json in the source holds text that is not well-formed/,
    ],
    [
      'whose tag is not printable',
      savedImage({ tag: 'app:\u001b[2J' }),
      /RepoTags\[0\] holds characters that cannot be printed$/,
    ],
    [
      'whose member is named by half a surrogate pair',
      savedImage({ config: '{"\\udfff":1}' }),
      /config\.json in the source holds text that is not well-formed/,
    ],
    ['without a config', savedImage({ manifest: [{}] }), /\[0\]\.Config is missing or not text$/],
    [
      'whose layer lies outside',
      listed({ Layers: ['../../etc/passwd'] }),
      /names \.\.\/\.\.\/etc\/passwd, which is no path within it$/,
    ],
    [
      'whose layer has an absolute path',
      listed({ Layers: ['/etc/passwd'] }),
      /names \/etc\/passwd, which is no path within it$/,
    ],
    [
      'whose layer has a zero byte',
      listed({ Layers: ['a\0b'] }),
      /names a\\u\{0\}b, which is no path within it$/,
    ],
    [
      'whose config has an endless name',
      listed({ Config: 'x'.repeat(10_000) }),
      /names x{200}…, which is no path within it$/,
    ],
    [
      'whose config has a digest that is a path',
      savedImage({ config: { rootfs: { diff_ids: ['sha256:../../etc/passwd'] } } }),
      /config\.json in the source is damaged: rootfs\.diff_ids\[0\] is not a sha256 digest$/,
    ],
    [
      'whose config has fewer layers',
      savedImage({ config: { rootfs: { diff_ids: [] } } }),
      /config\.json in the source is no config of an image of 1 layers$/,
    ],
    [
      'whose prototype is no object',
      savedImage({ config: '{"__proto__":{"rootfs":{"diff_ids":[]}}}' }),
      /config\.json in the source is damaged: rootfs is missing/,
    ],
    [
      'that is too long',
      savedImage({ config: ' '.repeat(4_194_305) }),
      /^config\.json in the source has 4194305 bytes, and 4194304 at most are read$/,
    ],
    [
      'that is all brackets',
      savedImage({ config: '['.repeat(4_000_000) }),
      /^config\.json in the source has more members and elements than are read$/,
    ],
    [
      'that is nested deep',
      savedImage({ config: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }),
      /^config\.json in the source is damaged: it is missing or not an object$/,
    ],
    [
      'whose list is too long',
      savedImage({ config: { rootfs: { diff_ids: Array(10_001).fill(1) } } }),
      /rootfs\.diff_ids has more than 10000 elements$/,
    ],
    [
      'whose manifests are null',
      layout({ index: { manifests: null } }),
      /^index\.json in the source lists no images$/,
    ],
    [
      'whose manifests are text',
      layout({ index: { manifests: 'x' } }),
      /^index\.json in the source is damaged: manifests is missing or not a list$/,
    ],
    ['whose digest is a number', index({ digest: 1 }), /manifests\[0\]\.digest is missing or not text$/],
    [
      'whose digest is a path',
      index({ digest: 'sha256:../../etc/passwd' }),
      /manifests\[0\]\.digest is not a sha256 digest$/,
    ],
    [
      'whose digest has a line behind it',
      index({ digest: `${sha256Of('x')}\n` }),
      /manifests\[0\]\.digest is not a sha256 digest$/,
    ],
    ['whose size is negative', index({ size: -1 }), /manifests\[0\]\.size is not a size$/],
    ['whose size has a fraction', index({ size: 0.5 }), /manifests\[0\]\.size is missing or not a size$/],
    [
      'whose media type would end a line',
      index({ mediaType: 'a\r\nb: c' }),
      /manifests\[0\]\.mediaType holds characters that cannot be printed$/,
    ],
    [
      'whose name is a number',
      layout({ refName: 1 }),
      /annotations\.org\.opencontainers\.image\.ref\.name is missing or not text$/,
    ],
    [
      'that is not there',
      index({}),
      new RegExp(`^the source has no blobs/sha256/${sha256Of('x').slice(7)}$`),
    ],
    [
      'that is a manifest and not JSON',
      layout({ manifest: 'not json' }),
      new RegExp(`^blobs/sha256/${sha256Of('not json').slice(7)} in the source is not JSON$`),
    ],
  ];
  it.each(rows)('%s', async (_, members, message) => {
    expect(await readArchive(tarOf(members))).toMatch(message);
  });

  it('that is an index too deep, or one of too many manifests', async () => {
    const type = 'application/vnd.oci.image.index.v1+json';
    const descriptor = (text: string) => ({ mediaType: type, digest: sha256Of(text), size: text.length });
    const nested = [JSON.stringify({ manifests: [] })];
    for (let depth = 0; depth < 20; depth += 1)
      nested.push(JSON.stringify({ manifests: [descriptor(nested.at(-1) ?? '')] }));
    const source = (index: object, blobs: string[]) =>
      tarOf([
        ...layout({ index }).slice(0, 2),
        ...blobs.map((bytes) => ({ name: `blobs/sha256/${sha256Of(bytes).slice(7)}`, bytes })),
      ]);
    expect(await readArchive(source({ manifests: [descriptor(nested.at(-1) ?? '')] }, nested))).toMatch(
      /is in an index more than 8 deep/,
    );
    const many = Array.from({ length: 10_001 }, (_, at) => `{"at":${at}}`);
    const halves = [many.slice(0, 5_000), many.slice(5_000)].map((half) =>
      JSON.stringify({ manifests: half.map(descriptor) }),
    );
    expect(await readArchive(source({ manifests: halves.map(descriptor) }, [...many, ...halves]))).toMatch(
      /more than 10000 manifests/,
    );
  });
});

describe('a folder is read', () => {
  it('with links that stay within it', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    await rm(join(path, 'one'), { recursive: true });
    await mkdir(join(path, 'two'));
    await writeFile(join(path, 'two/layer.tar'), 'layer');
    await symlink('two', join(path, 'one'));
    expect(await read(path)).toEqual(root());
  });

  it('by a link to it', async () => {
    const link = nextPath();
    await symlink(await writeMembers(nextPath(), layout()), link);
    expect(await read(link)).toEqual(root('1.0'));
  });
});

describe('a folder is refused', () => {
  const withLayer = async (make: (path: string) => Promise<unknown>) => {
    const path = await writeMembers(nextPath(), savedImage());
    await rm(join(path, 'one/layer.tar'));
    await make(join(path, 'one/layer.tar'));
    return read(path);
  };

  it.each(['relative', 'absolute'])('for a link out of it that is %s', async (kind) => {
    const outside = nextPath();
    await writeFile(outside, 'layer');
    const target = kind === 'absolute' ? outside : join('../..', outside.slice(directory.length));
    expect(await withLayer((path) => symlink(target, path))).toBe(
      'one/layer.tar in the source leads out of it',
    );
  });

  it('for a folder in it that is a link out of it', async () => {
    const outside = await writeMembers(nextPath(), [{ name: 'layer.tar', bytes: 'layer' }]);
    const path = await writeMembers(nextPath(), savedImage());
    await rm(join(path, 'one'), { recursive: true });
    await symlink(outside, join(path, 'one'));
    expect(await read(path)).toBe('one/layer.tar in the source leads out of it');
  });

  it('for a folder beside it whose name begins as its own', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    await writeMembers(`${path}-other`, [{ name: 'layer', bytes: 'layer' }]);
    await rm(join(path, 'one/layer.tar'));
    await symlink(`${path}-other/layer`, join(path, 'one/layer.tar'));
    expect(await read(path)).toBe('one/layer.tar in the source leads out of it');
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

  it('that is a FIFO itself', async () => {
    const path = nextPath();
    await run('mkfifo', [path]);
    expect(await read(path)).toMatch(/is neither a directory nor a file: give - and pipe it in$/);
  });

  it('for a file that becomes shorter while it is pushed', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    const opened = await openSource(path, { input: Readable.from([]) });
    await writeFile(join(path, 'one/layer.tar'), 'l');
    const source = opened.blobs.find(({ size }) => size === 5)?.source;
    await expect(buffer(typeof source === 'function' ? source(0) : Readable.from([]))).rejects.toThrow(
      /^one\/layer\.tar in the source has become shorter while it was read$/,
    );
  });

  it('for a file that has become a link out of it while it is pushed', async () => {
    const path = await writeMembers(nextPath(), savedImage());
    const opened = await openSource(path, { input: Readable.from([]) });
    await rm(join(path, 'one/layer.tar'));
    await symlink('/etc/hostname', join(path, 'one/layer.tar'));
    const source = opened.blobs.find(({ size }) => size === 5)?.source;
    await expect(buffer(typeof source === 'function' ? source(0) : Readable.from([]))).rejects.toThrow(
      /^one\/layer\.tar in the source leads out of it$/,
    );
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
        for (;;) yield Buffer.alloc(65_536);
      })(),
    );

  it('is refused where it has no end, and nothing of it stays', async () => {
    const before = await spools();
    expect(await read('-', { input: endless(), maxUnpackedBytes: 1_000_000 })).toMatch(
      /^standard input takes more than 1000000 bytes unpacked: if you trust it, give a larger --max-unpacked-size$/,
    );
    expect(await spools()).toEqual(before);
  });

  it('is refused where it unpacks to more than it may', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    expect(await read('-', { input: Readable.from([bomb]), maxUnpackedBytes: 1_000_000 })).toMatch(
      /--max-unpacked-size/,
    );
    const twice = Buffer.concat([
      gzipSync(tarOf(layout()).subarray(0, 1_000)),
      gzipSync(tarOf(layout()).subarray(1_000)),
    ]);
    expect(await read('-', { input: Readable.from([twice]) })).toEqual(root('1.0'));
  });

  it('ends with the reason of its signal', async () => {
    const interruption = new AbortController();
    const reason = new Error('ended by SIGTERM');
    const reading = read('-', { input: new Readable({ read() {} }), signal: interruption.signal });
    setTimeout(() => interruption.abort(reason), 50);
    await expect(reading).rejects.toBe(reason);
  });
});

it('a choice of many names is told in a few', () => {
  const roots = Array.from({ length: 1_000 }, (_, at) => ({
    digest: sha256Of(`${at}`),
    refName: 'x'.repeat(4_000),
  }));
  const choice = () => tagsOf({ blobs: [], manifests: [], roots }, '1.0');
  expect(choice).toThrow(/^the source holds several images \((x{200}…, ){20}980 more\): leave out the tag/);
});
