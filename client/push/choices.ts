// What of a source can be chosen, in the words to type.

import type { Contents } from './contents.ts';
import type { Candidate } from './roots.ts';

const maxListed = 20;

/** A name may come from anybody: one is offered only where a shell makes nothing of it. */
const typed = /^\w[\w./:@+-]{0,199}$/;

/** `choose one by --image app:1.0 (linux/amd64) or --platform linux/arm64` */
export async function listOfChoices(candidates: readonly Candidate[], contents: Contents): Promise<string> {
  const distinct = [...new Map(candidates.map((one) => [`${one.digest} ${one.root.refName}`, one])).values()];
  const choices = await Promise.all(
    distinct.map(async ({ digest, root: { refName, platform } }) => {
      const leaves = (await contents.leavesOf(digest, platform)).filter((leaf) =>
        contents.isWhole(leaf.digest),
      );
      return { digest, refName, platforms: [...new Set(leaves.flatMap((leaf) => leaf.platform ?? []))] };
    }),
  );
  return `choose one by ${inWords(choices.map((choice) => wordsFor(choice, choices)))}`;
}

type Choice = { digest: string; refName: string | undefined; platforms: string[] };

function wordsFor({ digest, refName, platforms }: Choice, all: readonly Choice[]): string {
  const [platform] = platforms;
  const isOnlyOne = (isIt: (other: Choice) => boolean) =>
    all.filter(isIt).every((other) => other.digest === digest);
  const shownPlatforms = platform === undefined ? '' : ` (${inWords(platforms, ', ')})`;
  if (refName !== undefined && typed.test(refName) && isOnlyOne((other) => other.refName === refName))
    return `--image ${refName}${shownPlatforms}`;
  if (
    platform !== undefined &&
    platforms.length === 1 &&
    isOnlyOne((other) => other.platforms.includes(platform))
  )
    return `--platform ${platform}`;
  return `--image ${digest}${shownPlatforms}`;
}

/** At most so many; the rest is counted. */
export function inWords(words: readonly string[], last = ' or '): string {
  const listed = words.slice(0, maxListed);
  if (words.length > maxListed) return `${listed.join(', ')} and ${words.length - maxListed} more`;
  return [listed.slice(0, -1).join(', '), ...listed.slice(-1)].filter(Boolean).join(last);
}
