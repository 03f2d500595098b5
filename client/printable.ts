// Makes untrusted text safe to print on a terminal: nothing in it moves the cursor, reorders or hides text.

/** Control and format characters, line separators, halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const maxShownCharacters = 200;

export const isPrintable = (text: string): boolean => text.search(unprintable) < 0;

/** Writes what a terminal would interpret as its code point: `\u{1b}`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** A name that may have any length, short enough for a message. */
export const shown = (name: string): string =>
  printable(name.length > maxShownCharacters ? `${name.slice(0, maxShownCharacters)}…` : name);
