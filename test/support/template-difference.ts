// What one template has and another has not, for a reviewer: by logical id and, below it, by path.

import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';

type Members = Readonly<Record<string, unknown>>;
type List = readonly unknown[];

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const marked = (mark: '-' | '+', value: unknown): string[] =>
  stringify(value, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
    .map((line) => `${mark} ${line}`);

const removed = (path: string, value: unknown) => marked('-', { [path]: value });
const added = (path: string, value: unknown) => marked('+', { [path]: value });

const keysOf = (...sides: Members[]): string[] => [...new Set(sides.flatMap(Object.keys))].sort();

function joined(path: string, key: string): string {
  const name = /^[\w:-]+$/.test(key) ? key : JSON.stringify(key);
  return path === '' ? name : `${path}.${name}`;
}

const betweenMembers = (before: Members, after: Members, path: string): string[] =>
  keysOf(before, after).flatMap((key) => {
    const inner = joined(path, key);
    if (!Object.hasOwn(after, key)) {
      return removed(inner, before[key]);
    }
    if (!Object.hasOwn(before, key)) {
      return added(inner, after[key]);
    }
    return between(before[key], after[key], inner);
  });

function sharedStart(one: List, other: List): number {
  const end = one.findIndex((item, index) => index >= other.length || !isDeepStrictEqual(item, other[index]));
  return end === -1 ? one.length : end;
}

/** Lists of one length are compared item by item; of others, what both begin and end with is left out. */
function betweenLists(before: List, after: List, path: string): string[] {
  if (before.length === after.length) {
    return before.flatMap((item, index) => between(item, after[index], `${path}[${index}]`));
  }
  const start = sharedStart(before, after);
  const end = sharedStart(before.slice(start).reverse(), after.slice(start).reverse());
  const rest = (list: List, mark: typeof removed) =>
    list.slice(start, list.length - end).flatMap((item, index) => mark(`${path}[${start + index}]`, item));
  return [...rest(before, removed), ...rest(after, added)];
}

function between(before: unknown, after: unknown, path: string): string[] {
  if (isMembers(before) && isMembers(after)) {
    return betweenMembers(before, after, path);
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    return betweenLists(before, after, path);
  }
  return isDeepStrictEqual(before, after) ? [] : [...removed(path, before), ...added(path, after)];
}

/** Resources, outputs and the like, each by its section and logical id. */
const partsOf = (template: Members): Members =>
  Object.fromEntries(
    Object.entries(template).flatMap(([section, content]) =>
      isMembers(content)
        ? Object.entries(content).map(([id, part]) => [joined(section, id), part])
        : [[section, content]],
    ),
  );

/**
 * Whatever is different in `after` is different in the text, unlike in that of `cdk diff`, which leaves out metadata
 * and takes "1" for 1. Parts with one and the same difference stand above it together.
 */
export function differenceOf(before: Members, after: Members): string {
  const [was, is] = [partsOf(before), partsOf(after)];
  const blocks = new Map<string, string>();
  for (const name of keysOf(was, is)) {
    const lines = Object.hasOwn(is, name)
      ? Object.hasOwn(was, name)
        ? between(was[name], is[name], '')
        : marked('+', is[name])
      : ['- all of it'];
    const text = lines.join('\n');
    if (text !== '') {
      blocks.set(text, `${blocks.get(text) ?? ''}@@ ${name} @@\n`);
    }
  }
  return [...blocks].map(([text, names]) => `${names}${text}\n`).join('\n');
}
