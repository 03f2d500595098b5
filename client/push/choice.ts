// Which of a source's images are pushed: all, or those that a name, a digest or a platform chooses.

import { shown } from '../printable.ts';
import { listOfChoices } from './choices.ts';
import { type Closure, Contents, type Leaf } from './contents.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import { isIndexType } from './media-types.ts';
import { isOfPlatform, isSamePlatform } from './platform.ts';
import { isNamed } from './reference.ts';
import { type Candidate, type Companion, candidateOf, ownTagOf, sortRoots } from './roots.ts';
import { SourceProblem } from './source-problem.ts';
import { refuseForeignChildren, refuseUnstorable } from './storable.ts';
import { assignTags } from './tags.ts';

export type Request = {
  /** For the one image that is pushed, instead of its own. */
  tag?: string | undefined;
  /** A name, a tag or a digest of the source. */
  image?: string | undefined;
  /** `os/architecture[/variant]` */
  platform?: string | undefined;
  /** What is there of an index that is not whole goes without a tag. */
  all?: boolean | undefined;
};

/** Where a manifest of the source comes from. */
export type Origin = {
  /** What the source calls it. */
  names: string[];
  platform?: string | undefined;
  /** The index that lists it. */
  index?: string | undefined;
  subject?: string | undefined;
};

export type Chosen = {
  blobs: Blob[];
  /** Those that an index names come before it. */
  manifests: Manifest[];
  /** By digest. */
  tags: ReadonlyMap<string, readonly string[]>;
  /** By digest. */
  origins: ReadonlyMap<string, Origin>;
  /** What a user might not expect, as sentences. */
  notes: string[];
};

/** @throws SourceProblem when nothing, or more than one thing, is what was asked for, or ECR cannot store it */
export async function chooseImages(images: Images, request: Request): Promise<Chosen> {
  const contents = new Contents(images);
  const { images: roots, companions } = sortRoots(images, contents);
  const notes = (images.passedOver ?? []).map(
    ({ digest, mediaType }) => `${shown(digest)} is ${mediaType}, which is no image, and is not pushed`,
  );
  const named = request.image === undefined ? roots.map(candidateOf) : namedBy(request.image, images, roots);
  if (named.length === 0)
    throw new SourceProblem(
      `the source has no image ${shown(request.image ?? '')}: ${await listOfChoices(roots.map(candidateOf), contents)}`,
    );
  const candidates =
    request.platform === undefined
      ? await wholeOf(named, contents, request, notes)
      : await ofPlatform(named, contents, request.platform);
  const isEverything =
    request.image === undefined && candidates.every(({ digest, root }) => digest === root.digest);
  const along = companionsOf(
    candidates,
    isEverything && request.platform === undefined,
    companions,
    contents,
  );
  const tags = await assignTags(candidates, along, request.tag, contents);
  const closure = contents.closureOf([...candidates, ...along].map(({ digest }) => digest));

  const manifests = images.manifests.filter(({ digest }) => closure.manifests.has(digest));
  for (const manifest of manifests) refuseUnstorable(manifest, contents);
  refuseMissing(closure, contents);
  const blobs = images.blobs.filter(({ digest }) => closure.blobs.has(digest));
  return { blobs, manifests, tags, origins: await originsOf(manifests, images, contents), notes };
}

/** The best way that `asked` fits: as it is written, as a shorter name, as the beginning of a digest. */
function namedBy(asked: string, { roots: all, manifests }: Images, roots: readonly Root[]): Candidate[] {
  const digest = asked.split('@').at(-1) ?? '';
  const known = [...roots, ...all.filter((root) => !roots.includes(root))];
  const byDigest = (isIt: (digest: string) => boolean): Candidate[] =>
    [...new Set([...known, ...manifests].map((one) => one.digest).filter(isIt))].flatMap((one) => {
      const listed = known.filter((root) => root.digest === one);
      return listed.length > 0 ? listed.map(candidateOf) : [{ digest: one, root: { digest: one } }];
    });
  const byName = (isIt: (root: Root) => boolean): Candidate[] => {
    const [first, then] = [roots.filter(isIt), known.filter(isIt)];
    return (first.length > 0 ? first : then).map(candidateOf);
  };
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return byDigest((one) => one === digest);
  const ways = [
    () => byName(({ refName }) => refName === asked),
    () => byName((root) => ownTagOf(root) === asked),
    () => byName(({ refName = '' }) => isNamed(refName, asked)),
    () =>
      /^(sha256:)?[0-9a-f]{7,}$/.test(asked)
        ? byDigest((one) => one.slice(7).startsWith(asked.replace('sha256:', '')))
        : [],
  ];
  for (const way of ways) {
    const found = way();
    if (found.length > 0) return found;
  }
  return [];
}

type Found = { candidate: Candidate; leaves: Leaf[] };

const leavesOf = (candidates: readonly Candidate[], contents: Contents): Promise<Found[]> =>
  Promise.all(
    candidates.map(async (candidate) => ({
      candidate,
      leaves: await contents.leavesOf(candidate.digest, candidate.root.platform),
    })),
  );

async function ofPlatform(candidates: Candidate[], contents: Contents, asked: string): Promise<Candidate[]> {
  const found = await leavesOf(candidates, contents);
  const fitting = (isIt: (platform: string, asked: string) => boolean): Candidate[] =>
    found.flatMap(({ candidate: { root }, leaves }) =>
      leaves
        .filter(({ platform }) => platform !== undefined && isIt(platform, asked))
        .map(({ digest }) => ({ digest, root })),
    );
  const same = fitting(isSamePlatform);
  const chosen = same.length > 0 ? same : fitting(isOfPlatform);
  if (chosen.length === 0)
    throw new SourceProblem(
      `the source has no image for ${asked}: ${await listOfChoices(candidates, contents)}`,
    );
  for (const { root } of chosen) {
    const ofRoot = chosen.filter((one) => one.root === root);
    if (new Set(ofRoot.map(({ digest }) => digest)).size > 1)
      throw new SourceProblem(
        `the source has several images for ${asked}: ${await listOfChoices(ofRoot.map(unnamed), contents)}`,
      );
  }
  return chosen;
}

const unnamed = ({ digest }: { digest: string }): Candidate => ({ digest, root: { digest } });

/** In the place of an index that is not whole, the one of its images that is there. */
async function wholeOf(
  candidates: Candidate[],
  contents: Contents,
  { all }: Request,
  notes: string[],
): Promise<Candidate[]> {
  const whole: Candidate[] = [];
  for (const { candidate, leaves } of await leavesOf(candidates, contents)) {
    const { digest, root } = candidate;
    const there = leaves.filter((leaf) => contents.isWhole(leaf.digest));
    // What is missing of all else is told by its name.
    const manifest = contents.manifest(digest);
    const isIndex = manifest !== undefined && isIndexType(manifest.mediaType);
    if (isIndex) refuseForeignChildren(manifest, contents);
    if (!isIndex || contents.isWhole(digest) || there.length === 0) {
      whole.push(candidate);
      continue;
    }
    const absent = leaves.filter((leaf) => !there.includes(leaf)).map((leaf) => leaf.platform ?? leaf.digest);
    const lacks = `${shown(root.refName ?? digest)} is an index of which the source lacks ${absent.length > 0 ? absent.slice(0, 20).join(', ') : 'what belongs to its images'}`;
    const [only] = there;
    if (there.length === 1 && only) {
      notes.push(
        `${lacks}: only ${only.platform ?? only.digest} is pushed, and what tag there is goes to it`,
      );
      whole.push({ digest: only.digest, root });
    } else if (all) {
      notes.push(`${lacks}: what is there of it is pushed without a tag`);
      whole.push(...there.map(unnamed));
    } else
      throw new SourceProblem(
        `${lacks}: ${await listOfChoices(
          there.map((leaf) => ({ ...leaf, root })),
          contents,
        )}, or push without a tag what is there by --all`,
      );
  }
  return whole;
}

/** What refers to something that is pushed, and what refers to that; all, where nothing is left out. */
function companionsOf(
  candidates: readonly Candidate[],
  isEverything: boolean,
  companions: readonly Companion[],
  contents: Contents,
): Companion[] {
  const chosen = new Set(candidates.map(({ digest }) => digest));
  const others = companions.filter(({ digest }) => !chosen.has(digest));
  if (isEverything) return others;
  const along = new Set<Companion>();
  for (let before = -1; before < along.size; ) {
    before = along.size;
    const { manifests } = contents.closureOf([...chosen, ...[...along].map(({ digest }) => digest)]);
    for (const one of others) if (one.subject !== undefined && manifests.has(one.subject)) along.add(one);
  }
  return [...along];
}

function refuseMissing({ missing }: Closure, contents: Contents): void {
  const [digest] = missing;
  if (digest === undefined) return;
  const naming = contents.digests.find((one) => {
    const manifest = contents.manifest(one);
    return (
      manifest &&
      [...contents.blobsOf(manifest), ...contents.childrenOf(one)].some((named) => named.digest === digest)
    );
  });
  const by = naming === undefined ? '' : `, which ${naming} names`;
  const more = missing.size > 1 ? `, and lacks ${missing.size - 1} more` : '';
  throw new SourceProblem(`the source has no blobs/${digest.replace(':', '/')}${by}${more}`);
}

async function originsOf(
  manifests: readonly Manifest[],
  { roots }: Images,
  contents: Contents,
): Promise<Map<string, Origin>> {
  const origins = new Map<string, Origin>();
  const indexOf = new Map(
    manifests.flatMap(({ digest }) =>
      contents.childrenOf(digest).map((child) => [child.digest, digest] as const),
    ),
  );
  for (const { digest, subject } of manifests) {
    const own = roots.filter((root) => root.digest === digest);
    const [leaf] =
      contents.childrenOf(digest).length > 0 ? [] : await contents.leavesOf(digest, own[0]?.platform);
    origins.set(digest, {
      names: [...new Set(own.flatMap(({ refName }) => refName ?? []))],
      platform: leaf?.platform,
      index: indexOf.get(digest),
      subject,
    });
  }
  return origins;
}
