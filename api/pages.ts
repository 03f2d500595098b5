// A list that ECR gives page by page.

import { ProxyError } from './proxy-error.ts';

type Page<Item> = { readonly items: readonly Item[]; readonly nextToken?: string | undefined };

/**
 * Gathers all pages.
 *
 * @param page gives the one that a token names, and the first without one
 * @throws ServerException for a page that names itself as the next one, which would never end
 */
export async function pages<Item>(
  page: (nextToken: string | undefined) => Promise<Page<Item>>,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: string | undefined;
  do {
    const { items, nextToken } = await page(token);
    if (nextToken !== undefined && nextToken === token) {
      throw new ProxyError('ServerException', 'ECR gives the same page of a list again and again.');
    }
    all.push(...items);
    token = nextToken;
  } while (token !== undefined);
  return all;
}
