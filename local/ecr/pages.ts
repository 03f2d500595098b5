// Lists that come page by page: what a `nextToken` is, and what it is good for.

import { EcrError } from './errors.ts';

type Page<Item> = { readonly items: readonly Item[]; readonly nextToken: string | undefined };

/** Opaque to who gets it: the list that it belongs to, and the key of the last item of its page. */
const tokenOf = (list: string, after: string) =>
  Buffer.from(JSON.stringify([list, after])).toString('base64');

/** @throws {EcrError} InvalidParameterException for a token of another list, or of none */
function afterOf(list: string, token: string): string {
  try {
    const [of, after]: unknown[] = JSON.parse(Buffer.from(token, 'base64').toString());
    if (of === list && typeof after === 'string') {
      return after;
    }
  } catch {
    // Said below, as of any other.
  }
  throw new EcrError(
    'InvalidParameterException',
    "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'",
  );
}

/**
 * @param list what is listed: a token is of no use for anything else
 * @param items by their keys, in whose order they come
 * @throws {EcrError} InvalidParameterException for a token of another list, or of none
 */
export function pageOf<Item>(
  list: string,
  items: ReadonlyMap<string, Item>,
  { nextToken, maxResults }: { nextToken?: string | undefined; maxResults: number },
): Page<Item> {
  const after = nextToken === undefined ? undefined : afterOf(list, nextToken);
  const keys = [...items.keys()].sort().filter((key) => after === undefined || key > after);
  const shown = keys.slice(0, maxResults);
  const last = shown.at(-1);
  return {
    items: shown.flatMap((key) => items.get(key) ?? []),
    nextToken: last !== undefined && shown.length < keys.length ? tokenOf(list, last) : undefined,
  };
}
