// Durations as an operator types them: 90d, 12h, 30m.

import { InvalidArgumentError } from 'commander';

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

const maxMs = 3_650 * 86_400_000;

/** @throws InvalidArgumentError, which commander prints with the option's name */
export function parseDurationMs(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const durationMs = Number(count) * (unitsMs[unit] ?? 0);
  if (durationMs > 0 && durationMs <= maxMs) {
    return durationMs;
  }
  throw new InvalidArgumentError('Expected minutes, hours or days, such as 30m, 12h or 90d.');
}

/** A duration, or `never`. */
export const parseLifetime = (text: string): number | 'never' =>
  text === 'never' ? text : parseDurationMs(text);
