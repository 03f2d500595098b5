// Puts in the place of an index one of its images: the platform that is asked for, or the only one that is there.

import { shown } from '../printable.ts';
import { inWords, listOfChoices } from './choices.ts';
import type { Contents } from './contents.ts';
import { isIndexType } from './media-types.ts';
import { isOfPlatform, isSamePlatform } from './platform.ts';
import { type Candidate, candidateOf } from './roots.ts';
import { SourceProblem } from './source-problem.ts';
import { refuseForeignChildren } from './storable.ts';

type Found = { candidate: Candidate; platform: string | undefined };

async function leavesOf({ digest, root }: Candidate, contents: Contents): Promise<Found[]> {
  const leaves = await contents.leavesOf(digest, root.platform);
  return leaves.map((leaf) => ({ candidate: { digest: leaf.digest, root }, platform: leaf.platform }));
}

/** @throws SourceProblem where none of the images is of the platform, or several of one index are */
export async function imagesOfPlatform(
  candidates: readonly Candidate[],
  contents: Contents,
  asked: string,
): Promise<Candidate[]> {
  const found: Found[] = [];
  for (const candidate of candidates) {
    found.push(...(await leavesOf(candidate, contents)));
  }
  const fitting = (isIt: (platform: string, asked: string) => boolean): Candidate[] =>
    found
      .filter(({ platform }) => platform !== undefined && isIt(platform, asked))
      .map((one) => one.candidate);
  const same = fitting(isSamePlatform);
  const chosen = same.length > 0 ? same : fitting(isOfPlatform);
  if (chosen.every(({ digest }) => !contents.manifest(digest))) {
    const what =
      chosen.length === 0 ? `has no image for ${asked}` : `names an image for ${asked} and does not hold it`;
    const there = found.map(({ candidate }) => candidate).filter(({ digest }) => contents.isWhole(digest));
    const choices = there.length === 0 ? '' : `: ${await listOfChoices(there, contents)}`;
    throw new SourceProblem(`the source ${what}${choices}`);
  }
  const digestsOf = new Map<Candidate['root'], Set<string>>();
  for (const { digest, root } of chosen) {
    digestsOf.set(root, (digestsOf.get(root) ?? new Set()).add(digest));
  }
  for (const digests of digestsOf.values()) {
    if (digests.size > 1) {
      throw new SourceProblem(
        `the source has several images for ${asked}: ${await listOfChoices([...digests].map(alone), contents)}`,
      );
    }
  }
  return chosen;
}

/** Without the names of the root that it is of. */
const alone = (digest: string): Candidate => candidateOf({ digest });

/**
 * An index that is not whole is never pushed, nor written again.
 * @param all whether what is there of one is pushed, without a tag, where there are several
 * @param notes gets what is pushed in its place
 * @throws SourceProblem where several of its images are there and not all
 */
export async function wholeImages(
  candidates: readonly Candidate[],
  contents: Contents,
  all: boolean,
  notes: string[],
): Promise<Candidate[]> {
  const images: Candidate[] = [];
  for (const group of groupsOf(candidates)) {
    const [first] = group;
    if (group.every(({ digest }) => contents.isWhole(digest))) {
      images.push(...group);
    } else if (group.length > 1) {
      const there = await thereOf(group, 'index.json', contents, all, notes);
      images.push(...(there.length > 0 ? there : group));
    } else if (first) {
      images.push(...(await inPlaceOf(first, contents, all, notes)));
    }
  }
  return images;
}

/** What index.json lists under one name, each for a platform, is an index in all but form. */
function groupsOf(candidates: readonly Candidate[]): Candidate[][] {
  const groups = new Map<string, Candidate[]>();
  for (const [at, candidate] of candidates.entries()) {
    const { refName, platform } = candidate.root;
    const key = platform === undefined ? String(at) : `of platforms: ${refName}`;
    const group = groups.get(key);
    if (group) {
      group.push(candidate);
    } else {
      groups.set(key, [candidate]);
    }
  }
  return [...groups.values()];
}

async function inPlaceOf(
  candidate: Candidate,
  contents: Contents,
  all: boolean,
  notes: string[],
): Promise<Candidate[]> {
  const { digest, root } = candidate;
  const manifest = contents.manifest(digest);
  // All of an image is looked for before what is missing is reported.
  if (!manifest || !isIndexType(manifest.mediaType)) {
    return [candidate];
  }
  refuseForeignChildren(manifest, contents);
  const leaves = (await contents.leavesOf(digest)).map((leaf) => ({
    digest: leaf.digest,
    root: { ...root, platform: leaf.platform },
  }));
  const there = await thereOf(leaves, digest, contents, all, notes);
  return there.length > 0 ? there : [candidate];
}

/** @param title for the message, where the images have no name */
async function thereOf(
  leaves: readonly Candidate[],
  title: string,
  contents: Contents,
  all: boolean,
  notes: string[],
): Promise<Candidate[]> {
  const there = leaves.filter(({ digest }) => contents.isWhole(digest));
  const [only, ...others] = there;
  if (!only) {
    return [];
  }
  const absent = leaves.filter((leaf) => !there.includes(leaf)).map(titleOf);
  const lacked = absent.length > 0 ? inWords(absent, ' and ') : 'what is listed beside its images';
  const lacks = `${shown(only.root.refName ?? title)} is an index of which the source lacks ${lacked}`;
  if (others.length === 0) {
    notes.push(`${lacks}: only ${titleOf(only)} is pushed, and what tag there is goes to it`);
    return [only];
  }
  if (!all) {
    throw new SourceProblem(
      `${lacks}: ${await listOfChoices(there, contents)}, or push without a tag what is there by --all`,
    );
  }
  notes.push(`${lacks}: what is there of it is pushed without a tag`);
  return there.map(({ digest }) => alone(digest));
}

const titleOf = ({ digest, root }: Candidate): string => root.platform ?? digest;
