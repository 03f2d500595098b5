// Finds the images of a source that a user names: by a whole name, a tag, a shorter name, a digest or its beginning.

import { shown } from '../printable.ts';
import { listOfChoices } from './choices.ts';
import type { Contents } from './contents.ts';
import type { Images, Root } from './image.ts';
import { isNamed } from './reference.ts';
import { type Candidate, candidateOf, ownTagOf } from './roots.ts';
import { SourceProblem } from './source-problem.ts';

const digestAtEnd = /(?:^|@)(sha256:[0-9a-f]{64})$/;
const beginningOfDigest = /^(?:sha256:)?([0-9a-f]{7,64})$/;

/**
 * The first way in which `asked` fits counts. What goes along with an image is found too, where no image has the name.
 * @throws SourceProblem where nothing has it
 */
export async function imagesNamed(
  asked: string,
  { roots, manifests }: Images,
  candidates: readonly Candidate[],
  contents: Contents,
): Promise<Candidate[]> {
  const byName = (isIt: (root: Root) => boolean): Candidate[] => {
    const found = candidates.filter(({ root }) => isIt(root));
    return found.length > 0 ? found : roots.filter(isIt).map(candidateOf);
  };
  const byDigest = (isIt: (digest: string) => boolean): Candidate[] => {
    const listed = roots.filter(({ digest }) => isIt(digest));
    const isListed = new Set(listed.map(({ digest }) => digest));
    const others = manifests.filter(({ digest }) => isIt(digest) && !isListed.has(digest));
    return [...listed.map(candidateOf), ...others.map(({ digest }) => candidateOf({ digest }))];
  };
  const [, digest] = digestAtEnd.exec(asked) ?? [];
  const [, beginning] = beginningOfDigest.exec(asked) ?? [];
  const ways = [
    () => byName(({ refName }) => refName === asked),
    () => (digest === undefined ? [] : byDigest((one) => one === digest)),
    () => byName((root) => ownTagOf(root) === asked),
    () => byName(({ refName = '' }) => digest === undefined && isNamed(refName, asked)),
    () => (beginning === undefined ? [] : byDigest((one) => one.startsWith(`sha256:${beginning}`))),
  ];
  for (const way of ways) {
    const found = way();
    if (found.length > 0) {
      return found;
    }
  }
  throw new SourceProblem(
    `the source has no image ${shown(asked)}: ${await listOfChoices(candidates, contents)}`,
  );
}
