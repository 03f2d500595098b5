// docs/errors.md against the error table, and what the pages say of the size of a part.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorMembers } from '../../api/error-members.ts';
import { type ErrorRow, errors } from '../../api/errors.ts';
import { maxEcrPartBytes, partSize } from '../../api/limits.ts';
import { describeSendAgain } from '../../api/send-again.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const linesLike = (pattern: RegExp) => text.split('\n').filter((line) => pattern.test(line));
const rows: [string, ErrorRow][] = Object.entries(errors);

const ociOf = ({ oci }: ErrorRow) => (typeof oci === 'string' ? [oci] : Object.values(oci));
const quoted = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

const rowOf = ([code, row]: [string, ErrorRow]) =>
  `| \`${code}\` | ${row.status} | ${row.title} | ${describeSendAgain(row.sendAgain)} | ${quoted(ociOf(row))} |`;

describe('docs/errors.md', () => {
  it('lists the rows of the error table, and no others', () => {
    expect(linesLike(/^\| `\w+` \| \d{3} \|/)).toEqual(rows.map(rowOf));
  });

  it('lists what the AWS API answers otherwise than with 400 under the code’s own name', () => {
    const expected = rows.flatMap(([code, { aws }]) =>
      aws ? [`| \`${code}\` | \`${aws.type ?? code}\` | ${aws.status ?? 400} |`] : [],
    );
    expect(linesLike(/^\| `\w+` \| `\w+` \| \d{3} \|$/)).toEqual(expected);
  });

  it('names each member of an error, with the code that has it', () => {
    const documented = linesLike(/^\| `[a-z]\w*`(, `[a-z]\w*`)* \| `\w+Exception` \|/).flatMap((line) => {
      const [, members = '', code = ''] = line.split('|');
      return [...members.matchAll(/`(\w+)`/g)].map(([, member]) => `${code.trim()} ${member}`);
    });
    const expected = rows.flatMap(([code, { members = [] }]) => members.map((name) => `\`${code}\` ${name}`));
    expect(documented.toSorted()).toEqual(expected.toSorted());
    const used = rows.flatMap(([, { members = [] }]) => members);
    expect(Object.keys(errorMembers).toSorted()).toEqual([...new Set(used)].toSorted());
  });

  it('says which codes SDKs send again by their status at the AWS API', () => {
    const again = rows.filter(([, { aws }]) => (aws?.status ?? 400) >= 500).map(([code]) => code);
    for (const code of again) {
      expect(text.slice(text.indexOf('SDKs send again'))).toContain(`\`${code}\``);
    }
  });
});

describe('the docs', () => {
  const root = join(import.meta.dirname, '../..');
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))].filter(
    (page) => page.endsWith('.md'),
  );
  const MiB = 1_048_576;

  it.each(pages)('speak of parts of the size that there is: %s', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, digits]) => Number(digits));
    const sizes = [partSize, 2 * partSize, maxEcrPartBytes].map((bytes) => bytes / MiB);
    for (const size of all(/\bparts? (?:of|have) (\d+) MiB/gi)) {
      expect(sizes).toContain(size);
    }
    for (const bytes of all(/\bsplit -b (\d+)/g)) {
      expect(bytes).toBe(partSize);
    }
    for (const last of all(/\bbytes 0-(\d+)\//g)) {
      expect(last).toBe(partSize - 1);
    }
    for (const last of all(/--part-first-byte 0 --part-last-byte (\d+)/g)) {
      expect(last).toBe(partSize - 1);
    }
  });

  it('reckon a GiB in as many parts as it has', () => {
    const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const parts = (1_024 * MiB) / partSize;
    expect(text).toContain(`| API Gateway, requests | ${parts} |`);
    expect(text).toContain(`| ECR, UploadLayerPart | ${parts / 2} |`);
  });
});
