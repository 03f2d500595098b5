// Which of a source's images are pushed: all, or those that a name, a digest or a platform chooses.

import { shown } from '../printable.ts';
import { listOfChoices } from './choices.ts';
import { type Closure, Contents } from './contents.ts';
import type { Blob, Images, Manifest } from './image.ts';
import { imagesNamed } from './named-images.ts';
import { type Origin, originsOf } from './origins.ts';
import { imagesOfPlatform, wholeImages } from './platform-images.ts';
import { type Candidate, type Companion, candidateOf, sortRoots } from './roots.ts';
import { SourceProblem } from './source-problem.ts';
import { refuseUnstorable } from './storable.ts';
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

export type Chosen = {
  blobs: Blob[];
  /** Those that an index names come before it. */
  manifests: Manifest[];
  /** By digest. */
  tags: ReadonlyMap<string, readonly string[]>;
  /** By digest. */
  origins: ReadonlyMap<string, Origin>;
  /** What a user might not expect, as sentences without a full stop. */
  notes: string[];
};

/** @throws SourceProblem when nothing, or more than one thing, is what was asked for, or ECR cannot store it */
export async function chooseImages(images: Images, request: Request): Promise<Chosen> {
  const contents = new Contents(images);
  const { images: roots, companions } = sortRoots(images, contents);
  const notes = (images.passedOver ?? []).map(
    ({ digest, mediaType }) => `${shown(digest)} is ${mediaType}, which is no image, and is not pushed`,
  );
  const all = roots.map(candidateOf);
  const named = request.image === undefined ? all : await imagesNamed(request.image, images, all, contents);
  const candidates =
    request.platform === undefined
      ? await wholeImages(named, contents, request.all === true, notes)
      : await imagesOfPlatform(named, contents, request.platform);
  if (request.image !== undefined && new Set(candidates.map(({ digest }) => digest)).size > 1) {
    throw new SourceProblem(
      `the source has several images ${shown(request.image)}: ${await listOfChoices(candidates, contents)}`,
    );
  }
  const isAll =
    request.image === undefined &&
    request.platform === undefined &&
    candidates.every(({ digest, root }) => digest === root.digest);
  const along = isAll ? companions : companionsOf(candidates, companions, contents);
  if (along.length < companions.length && request.image === undefined && request.platform === undefined) {
    notes.push(`${companions.length - along.length} that refer to what is not pushed are not pushed either`);
  }
  const tags = await assignTags(candidates, along, request.tag, contents);
  notes.push(...candidates.filter(({ digest }) => !tags.has(digest)).map(untagged));
  const closure = contents.closureOf([...candidates, ...along].map(({ digest }) => digest));
  const manifests = images.manifests.filter(({ digest }) => closure.manifests.has(digest));
  for (const manifest of manifests) {
    refuseUnstorable(manifest, contents);
  }
  refuseMissing(closure, contents);
  const blobs = images.blobs.filter(({ digest }) => closure.blobs.has(digest));
  return { blobs, manifests, tags, origins: await originsOf(manifests, images, contents), notes };
}

const untagged = ({ digest, root }: Candidate): string =>
  `${shown(root.refName ?? digest)} is pushed without a tag: none was asked for, and the source gives it none`;

/** What refers to something that is pushed, and what refers to that. */
function companionsOf(
  candidates: readonly Candidate[],
  companions: readonly Companion[],
  contents: Contents,
): Companion[] {
  const bySubject = new Map<string, Companion[]>();
  for (const one of companions) {
    if (one.subject !== undefined) {
      bySubject.set(one.subject, [...(bySubject.get(one.subject) ?? []), one]);
    }
  }
  const along = new Map<string, Companion>();
  const left = [...contents.closureOf(candidates.map(({ digest }) => digest)).manifests];
  for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
    for (const one of bySubject.get(digest) ?? []) {
      if (along.has(one.digest)) {
        continue;
      }
      along.set(one.digest, one);
      left.push(...contents.closureOf([one.digest]).manifests);
    }
  }
  return companions.filter((one) => along.get(one.digest) === one);
}

function refuseMissing({ manifests, missing }: Closure, contents: Contents): void {
  const [digest] = missing;
  if (digest === undefined) {
    return;
  }
  const naming = [...manifests].find((one) =>
    contents.namedBy(one).some((descriptor) => descriptor.digest === digest),
  );
  const by = naming === undefined ? '' : `, which ${naming} names`;
  const more = missing.size > 1 ? `, and lacks ${missing.size - 1} more` : '';
  throw new SourceProblem(`the source has no blobs/${digest.replace(':', '/')}${by}${more}`);
}
