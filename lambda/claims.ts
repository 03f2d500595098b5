// The claims of a token as policies see them: texts and lists of texts, and nothing else.

import type { Claims } from './principal.ts';

const isText = (value: unknown): value is string => typeof value === 'string';

/**
 * Objects, null and lists of anything but strings are nothing that a policy could look at.
 *
 * @param textOfNumber what stands for the claim of this name, which is a number
 */
export const claimsOf = (
  payload: Readonly<Record<string, unknown>>,
  textOfNumber: (name: string) => string,
): Claims => {
  const textOf = (name: string, value: unknown): string | undefined => {
    if (typeof value === 'number') return textOfNumber(name);
    return isText(value) || typeof value === 'boolean' ? String(value) : undefined;
  };
  return Object.fromEntries(
    Object.entries(payload).flatMap(([name, value]): [string, string | string[]][] => {
      if (Array.isArray(value)) return value.every(isText) ? [[name, value]] : [];
      const text = textOf(name, value);
      return text === undefined ? [] : [[name, text]];
    }),
  );
};
