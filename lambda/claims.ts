// The claims of a token as policies see them: texts and lists of texts, and nothing else.

import type { Claims } from './principal.ts';

const isText = (value: unknown): value is string => typeof value === 'string';

const textOf = (value: unknown): string | undefined =>
  ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;

/** Objects, null and lists of anything but strings are nothing that a policy could look at. */
export const claimsOf = (payload: Readonly<Record<string, unknown>>): Claims =>
  Object.fromEntries(
    Object.entries(payload).flatMap(([name, value]): [string, string | string[]][] => {
      if (Array.isArray(value)) return value.every(isText) ? [[name, value]] : [];
      const text = textOf(value);
      return text === undefined ? [] : [[name, text]];
    }),
  );
