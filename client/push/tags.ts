// Assigns tags to the manifests of a source: a tag names exactly one.

import { listOfChoices } from './choices.ts';
import type { Contents } from './contents.ts';
import { type Candidate, type Companion, candidateOf, ownTagOf } from './roots.ts';
import { SourceProblem } from './source-problem.ts';

/**
 * The only image gets the tag that is asked for, or its own; of several, each gets its own. What goes along with an
 * image keeps the tag that it has.
 * @param asked the tag that is asked for
 * @returns tags by digest
 * @throws SourceProblem when one tag would name several
 */
export async function assignTags(
  candidates: readonly Candidate[],
  along: readonly Companion[],
  asked: string | undefined,
  contents: Contents,
): Promise<Map<string, string[]>> {
  if (asked !== undefined && new Set(candidates.map(({ digest }) => digest)).size > 1) {
    throw new SourceProblem(
      `the source holds several images, and the tag ${asked} names one: ${await listOfChoices(candidates, contents)}, or leave out the tag and each gets its own`,
    );
  }
  const given = [
    ...candidates.map(({ digest, root }) => ({ digest, root, tag: asked ?? ownTagOf(root) })),
    ...along.map(({ digest, tag }) => ({ ...candidateOf({ digest }), tag })),
  ];
  const digestOf = new Map<string, string>();
  const tags = new Map<string, string[]>();
  for (const { digest, tag } of given) {
    if (tag === undefined) {
      continue;
    }
    const holder = digestOf.get(tag);
    if (holder === digest) {
      continue;
    }
    if (holder !== undefined) {
      const rivals = given.filter((other) => other.tag === tag);
      throw new SourceProblem(
        `the source has several images for the tag ${tag}: ${await listOfChoices(rivals, contents)}`,
      );
    }
    digestOf.set(tag, digest);
    tags.set(digest, [...(tags.get(digest) ?? []), tag]);
  }
  return tags;
}
