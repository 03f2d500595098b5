// The claims of a token as policies see them: texts and lists of texts, and nothing else.

import type { Claims } from './principal.ts';

const textOf = (value: unknown): string | undefined =>
  ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;

const isText = (text: string | undefined): text is string => text !== undefined;

type Claim = readonly [name: string, value: string | readonly string[]];

function claimsNamed(name: string, value: unknown): Claim[] {
  const text = textOf(value);
  if (text !== undefined) {
    return [[name, text]];
  }
  if (Array.isArray(value)) {
    const texts = value.map(textOf);
    return texts.every(isText) ? [[name, texts]] : [];
  }
  return Object.entries(value ?? {}).flatMap(([inner, one]) => claimsNamed(`${name}/${inner}`, one));
}

/**
 * A member of an object goes by the names of both: `kubernetes.io/serviceaccount/uid`. Null, and a list of anything but
 * texts, numbers and booleans, is nothing that a policy could look at.
 *
 * @param payload whose numbers are texts already, or safe integers
 * @throws SyntaxError for a payload with two claims of one name: `{"a/b": 1, "a": {"b": 2}}`
 */
export function claimsOf(payload: Readonly<Record<string, unknown>>): Claims {
  const claims = Object.entries(payload).flatMap(([name, value]) => claimsNamed(name, value));
  const byName = new Map(claims);
  if (byName.size < claims.length) {
    throw new SyntaxError('two claims of one name');
  }
  return Object.fromEntries(byName);
}
