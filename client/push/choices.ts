// What of a source can be chosen, in the words to type.

import type { Contents } from './contents.ts';
import type { Candidate } from './roots.ts';

const maxListed = 20;

/** A name may come from anybody: one is offered only where a shell makes nothing of it. */
const typed = /^\w[\w./:@+-]{0,199}$/;

type Choice = { digest: string; refName: string | undefined; platforms: string[] };

/** `choose one by --image app:1.0 (linux/amd64) or --platform linux/arm64` */
export async function listOfChoices(candidates: readonly Candidate[], contents: Contents): Promise<string> {
  const distinct = [...new Map(candidates.map((one) => [`${one.digest} ${one.root.refName}`, one])).values()];
  const choices: Choice[] = [];
  for (const { digest, root } of distinct.slice(0, maxListed)) {
    const leaves = await contents.leavesOf(digest, root.platform);
    const platforms = leaves
      .filter((leaf) => contents.isWhole(leaf.digest))
      .flatMap(({ platform }) => platform ?? []);
    choices.push({ digest, refName: root.refName, platforms: [...new Set(platforms)] });
  }
  const isOthersName = ({ digest, refName }: Choice): boolean =>
    distinct.some((other) => other.root.refName === refName && other.digest !== digest);
  const isOthersPlatform = (choice: Choice, platform: string): boolean =>
    distinct.length > choices.length ||
    choices.some((other) => other.digest !== choice.digest && other.platforms.includes(platform));
  const wordsFor = (choice: Choice): string => {
    const { digest, refName, platforms } = choice;
    const [platform, ...others] = platforms;
    const inBrackets = platform === undefined ? '' : ` (${inWords(platforms, ', ')})`;
    if (refName !== undefined && typed.test(refName) && !isOthersName(choice)) {
      return `--image ${refName}${inBrackets}`;
    }
    if (platform !== undefined && others.length === 0 && !isOthersPlatform(choice, platform)) {
      return `--platform ${platform}`;
    }
    return `--image ${digest}${inBrackets}`;
  };
  return `choose one by ${inWords(choices.map(wordsFor), ' or ', distinct.length)}`;
}

/** At most so many; the rest is counted. */
export function inWords(words: readonly string[], last: string, count = words.length): string {
  const listed = words.slice(0, maxListed);
  if (count > maxListed) {
    return `${listed.join(', ')} and ${count - maxListed} more`;
  }
  return [listed.slice(0, -1).join(', '), ...listed.slice(-1)].filter(Boolean).join(last);
}
