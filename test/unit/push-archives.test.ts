// What `push` reads of a tar archive and what it refuses: archives made by code, one oddity in each.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layout, type Member, paxMember, savedImage, tarOf } from '../support/hostile-archives.ts';
import { expectImage, type Read, readSource } from '../support/sources.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-archives-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function readArchive(bytes: Uint8Array): Promise<Read> {
  const path = join(directory, 'archive');
  await writeFile(path, bytes);
  return readSource(path);
}

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
    [
      'with a hard link to what has another name by then',
      [
        { name: 'a', bytes: 'layer' },
        { name: 'one/layer.tar', type: '1', link: 'a' },
        { name: 'a', bytes: 'other' },
        ...documents,
      ],
    ],
    [
      'with a hard link before what it names',
      [{ name: 'one/layer.tar', type: '1', link: 'a' }, { name: 'a', bytes: 'layer' }, ...documents],
    ],
    [
      'with a folder that is a link',
      [{ name: 'two/layer.tar', bytes: 'layer' }, { name: 'one', type: '2', link: './two' }, ...documents],
    ],
    ['with a contiguous file', [{ name: 'one/layer.tar', type: '7', bytes: 'layer' }, ...documents]],
    [
      'with a file of a type that nobody knows',
      [{ name: 'one/layer.tar', type: 'Z', bytes: 'layer' }, ...documents],
    ],
    [
      'with times of star behind a prefix',
      [
        {
          name: 'layer.tar',
          bytes: 'layer',
          patch: (header) => {
            header.write('one\0', 345, 'latin1');
            header.write('tar\0', 508, 'latin1');
          },
        },
        ...documents,
      ],
    ],
    [
      'with names that are not UTF-8',
      [
        { name: 'a', bytes: 'layer', patch: (header) => header.fill(0xe4, 0, 3) },
        { name: 'one/layer.tar', type: '1', link: 'a', patch: (header) => header.fill(0xe4, 157, 160) },
        paxMember({ path: Buffer.from('eda080', 'hex') }),
        { name: 'x' },
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
    expectImage(await readArchive(tarOf(members)));
  });

  it('as a layout, and compressed', async () => {
    expectImage(await readArchive(tarOf(layout())), '1.0');
    expectImage(await readArchive(gzipSync(tarOf(layout()))), '1.0');
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
      'for a name that is meant for all',
      tarOf([{ ...paxMember({ path: 'index.json' }), type: 'g' }, ...savedImage()]),
      /it gives all entries one name or size/,
    ],
    [
      'for a sparse entry of no known form',
      tarOf([{ name: 'odd', type: 'S' }]),
      /odd, .* sparse in an unknown form/,
    ],
    [
      'for a sparse entry of a later version',
      tarOf([paxMember({ 'GNU.sparse.major': '2', 'GNU.sparse.realsize': '5' }), { name: 'odd' }]),
      /sparse in an unknown form/,
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
