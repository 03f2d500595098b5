// Which positions of an upload or an image are counted against the quotas: one range, as parts come in order. Pure.

import type { Range } from '../../api/quotas.ts';

const sizeOf = ({ first, end }: Range) => end - first;

/** Whether the two overlap, or one begins where the other ends. */
const touches = (one: Range, other: Range) => one.first <= other.end && other.first <= one.end;

/** What is counted after a part is added. */
export type Extended = {
  range: Range;
  /** How many positions that adds: never more than the part has. */
  added: number;
  /** The part does not touch what was counted before it. */
  isApart: boolean;
};

/**
 * A part apart from what is counted starts a new range. What the old range had is counted again if it is
 * sent again: no position is ever treated as counted that was not.
 */
export function extend(counted: Range | undefined, part: Range): Extended {
  if (!counted || !touches(counted, part)) {
    return { range: { first: part.first, end: part.end }, added: sizeOf(part), isApart: true };
  }
  const range = { first: Math.min(counted.first, part.first), end: Math.max(counted.end, part.end) };
  return { range, added: sizeOf(range) - sizeOf(counted), isApart: false };
}
