// Reads JSON of untrusted clients strictly: limited before it is parsed, no name twice in an object, well-formed text.

import { isWellFormed } from './well-formed.ts';

/** What a text should have been. The message holds nothing of the text. */
export class JsonFault extends SyntaxError {}

const backslash = 0x5c;

/** Whether the character at `at` follows an odd number of backslashes. */
function isEscaped(text: string, at: number) {
  let first = at;
  while (text.charCodeAt(first - 1) === backslash) {
    first--;
  }
  return (at - first) % 2 === 1;
}

/** Where the string that opens at `start` closes: most of a body is one string, which is not looked at twice. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) {
    end = text.indexOf('"', end + 1);
  }
  return end === -1 ? text.length : end;
}

/**
 * Counts what a parser would make of a text, before one does: millions of `{}` cost it more than a request may.
 * Gives the number of names before a colon; of a text that is not JSON, any number.
 */
function countNames(text: string, maxDepth: number, maxStructuralCharacters: number): number {
  let structuralCharacters = 0;
  let depth = 0;
  let names = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        continue;
      case '{':
      case '[':
        depth++;
        break;
      case '}':
      case ']':
        depth--;
        break;
      case ':':
        names++;
        break;
      case ',':
        break;
      default:
        continue;
    }
    structuralCharacters++;
    if (depth > maxDepth) {
      throw new JsonFault(`JSON nested no deeper than ${maxDepth}`);
    }
    if (structuralCharacters > maxStructuralCharacters) {
      throw new JsonFault(`JSON of ${maxStructuralCharacters} structural characters at most`);
    }
  }
  return names;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new JsonFault('a JSON object');
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How many members all objects in it have. */
function countMembers(value: unknown): number {
  let members = 0;
  if (Array.isArray(value)) {
    for (const one of value) {
      members += countMembers(one);
    }
  }
  if (!isJsonObject(value)) {
    return members;
  }
  for (const name of Object.keys(value)) {
    members += 1 + countMembers(value[name]);
  }
  return members;
}

/**
 * Parses a JSON object. Parsers differ in which of two equal names they believe: here neither is. Structural
 * characters are the six of RFC 8259, section 2: brackets, braces, colons and commas.
 *
 * @throws JsonFault for what is not a JSON object, repeats a name, nests deeper or holds more than it may, or has
 *   text that is not well-formed Unicode, escaped or not.
 */
export function parseStrictJson(
  text: string,
  maxDepth: number,
  maxStructuralCharacters = text.length,
): JsonObject {
  const names = countNames(text, maxDepth, maxStructuralCharacters);
  const value = parseJson(text);
  if (!isJsonObject(value)) {
    throw new JsonFault('a JSON object');
  }
  if (!isWellFormed(value)) {
    throw new JsonFault('well-formed Unicode, without half a surrogate pair');
  }
  // The parser keeps one of two members with the same name, however each is escaped.
  if (countMembers(value) !== names) {
    throw new JsonFault('a JSON object with no name twice');
  }
  return value;
}
