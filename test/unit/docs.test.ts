import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ErrorRow, errors } from '../../api/errors.ts';

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
