import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ErrorRow, errors } from '../../api/errors.ts';
import { maxEcrPartBytes, partSize } from '../../api/limits.ts';

const rowOf = ([code, { status, title, retryAfterSeconds }]: [string, ErrorRow]) =>
  `| \`${code}\` | ${status} | ${title} | ${retryAfterSeconds ? `after ${retryAfterSeconds} s` : 'no'} |`;

describe('docs/errors.md', () => {
  it('lists the rows of the error table, and no others', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
    const documented = text.split('\n').filter((line) => /^\| `\w+` \| \d{3} \|/.test(line));
    expect(documented).toEqual(Object.entries(errors).map(rowOf));
  });

  it('lists what the AWS door answers otherwise than with 400 under the code’s own name', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
    const documented = text.split('\n').filter((line) => /^\| `\w+` \| `\w+` \| \d{3} \|$/.test(line));
    const rows = Object.entries(errors).flatMap(([code, { aws }]: [string, ErrorRow]) =>
      aws ? [`| \`${code}\` | \`${aws.type ?? code}\` | ${aws.status ?? 400} |`] : [],
    );
    expect(documented).toEqual(rows);
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
    for (const size of all(/\bparts? (?:of|have) (\d+) MiB/gi)) expect(sizes).toContain(size);
    for (const bytes of all(/\bsplit -b (\d+)/g)) expect(bytes).toBe(partSize);
    for (const last of all(/\bbytes 0-(\d+)\//g)) expect(last).toBe(partSize - 1);
    for (const last of all(/--part-first-byte 0 --part-last-byte (\d+)/g)) expect(last).toBe(partSize - 1);
  });

  it('reckon a GiB in as many parts as it has', () => {
    const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    const parts = (1_024 * MiB) / partSize;
    expect(text).toContain(`| API Gateway, requests | ${parts} |`);
    expect(text).toContain(`| ECR, UploadLayerPart | ${parts / 2} |`);
  });
});
