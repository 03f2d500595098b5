// JSON of strangers, read strictly: no name twice in an object, nothing nested deeper than it has to be.

/** A string, or a character that opens, closes or divides: all of JSON that says where a name stands. */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

const closing = new Set(['}', ']']);

/** Throws where an object has a name twice; `text` is known to be JSON. */
const assertStrict = (text: string, maxDepth: number) => {
  /** The names of every object that is open, and `undefined` for every list. */
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (const [token] of text.matchAll(tokens)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (closing.has(token)) open.pop();
    else if (token === ':') addName(open.at(-1), String(JSON.parse(last)));
    if (open.length > maxDepth) throw new SyntaxError(`nested deeper than ${maxDepth}`);
    last = token;
  }
};

const addName = (names: Set<string> | undefined, name: string) => {
  if (names?.has(name)) throw new SyntaxError('a name twice in one object');
  names?.add(name);
};

/**
 * Parses a JSON object. Parsers differ in which of two equal names they believe: here neither is.
 *
 * @throws SyntaxError for what is not a JSON object, repeats a name, or nests deeper than `maxDepth`.
 */
export const parseStrictJson = (text: string, maxDepth: number): Readonly<Record<string, unknown>> => {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SyntaxError('not an object');
  }
  assertStrict(text, maxDepth);
  return { ...value };
};
