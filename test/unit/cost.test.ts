// What docs/operations.md says of a day of refused requests, compared with lib/monitoring/prices.ts and the defaults.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultMemorySize, defaultThrottling } from '../../lib/ecr-upload-proxy.ts';
import { costOfRefusals, refusal } from '../support/cost-of-refusals.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

/** `| 100 (the default) | 8,640,000 | 46.92 |` */
const rows = [...text.matchAll(/^\| (\d+) \([^)]*\) \| ([\d,]+) \| (\d+\.\d\d) \|$/gm)].map(
  ([, rate, requests = '', usd]) => ({
    rate: Number(rate),
    requests: Number(requests.replaceAll(',', '')),
    usd: Number(usd),
  }),
);

describe('a day of refused requests', () => {
  it('costs what is written down, at every rate that is', () => {
    expect(rows.map(({ rate }) => rate)).toEqual([10, defaultThrottling.requestsPerSecond, 500]);
    for (const { rate, requests, usd } of rows) {
      expect(requests).toBe(rate * 86_400);
      expect(usd).toBeCloseTo(costOfRefusals(rate, defaultMemorySize), 2);
    }
  });

  it('costs at most 50 dollars at the default rate', () => {
    expect(costOfRefusals(defaultThrottling.requestsPerSecond, defaultMemorySize)).toBeLessThan(50);
  });

  it('is reckoned with what is written down of one request', () => {
    expect(text).toContain(
      `${refusal.seconds * 1_000} ms and ${refusal.logBytes.toLocaleString('en')} bytes of log`,
    );
  });
});
