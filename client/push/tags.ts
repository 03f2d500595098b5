// Which manifest of a source gets which tag.

import { shown } from '../printable.ts';
import type { Images, Root } from './image.ts';
import { SourceProblem } from './source-problem.ts';

/** Of a reference such as `docker.io/library/app:1.0`, or the tag itself. */
function tagOf(refName: string | undefined): string | undefined {
  const tag = refName?.split('/').at(-1)?.split(':').at(-1);
  return tag !== undefined && /^\w[\w.-]{0,127}$/.test(tag) ? tag : undefined;
}

const maxListed = 20;

const list = (roots: readonly Root[]): string => {
  const names = roots.slice(0, maxListed).map(({ refName, digest }) => shown(refName ?? digest));
  return [...names, ...(roots.length > maxListed ? [`${roots.length - maxListed} more`] : [])].join(', ');
};

/**
 * What refers to a subject goes with it, by its digest. Of the rest, the only one gets the tag that is asked for,
 * or its own; of several, each gets its own.
 * @param tag the one that is asked for
 * @throws SourceProblem when it is asked for and there are several
 */
export function tagsOf({ roots }: Images, tag: string | undefined): Map<string, string[]> {
  const named = roots.filter(({ subject }) => subject === undefined);
  // An artifact alone is what was meant.
  const candidates = named.length > 0 ? named : roots;
  if (new Set(candidates.map(({ digest }) => digest)).size > 1 && tag !== undefined)
    throw new SourceProblem(
      `the source holds several images (${list(candidates)}): leave out the tag and each gets its own, or give a source of one`,
    );
  const tags = new Map<string, string[]>();
  for (const { digest, refName } of candidates) {
    const own = tag ?? tagOf(refName);
    const known = tags.get(digest) ?? [];
    if (own !== undefined && !known.includes(own)) tags.set(digest, [...known, own]);
  }
  return tags;
}
