// Which of what a source lists are its images, and which go along with an image.

import type { Contents } from './contents.ts';
import type { Images, Root } from './image.ts';
import { isIndexType } from './media-types.ts';
import { tagOfReference } from './reference.ts';

/** What refers to an image: it goes where that goes, under a tag of its own or none. */
export type Companion = { digest: string; subject: string | undefined; tag: string | undefined };

/** A root, or in its place one of its images. */
export type Candidate = { digest: string; root: Root };

export const candidateOf = (root: Root): Candidate => ({ digest: root.digest, root });

type SortedRoots = { images: Root[]; companions: Companion[] };

/** What the source says is a root's tag. */
export const ownTagOf = ({ tag, refName }: Root): string | undefined =>
  tag ?? (refName === undefined ? undefined : tagOfReference(refName));

/** How cosign's own tag for it ends. Source: sigstore/cosign, pkg/oci/layout and `cosign triangulate`. */
const cosignSuffixes: Readonly<Record<string, string>> = {
  'dev.cosignproject.cosign/sigs': '.sig',
  'dev.cosignproject.cosign/atts': '.att',
  'dev.cosignproject.cosign/sboms': '.sbom',
};

const cosignSuffixOf = ({ kind }: Root): string | undefined =>
  kind !== undefined && Object.hasOwn(cosignSuffixes, kind) ? cosignSuffixes[kind] : undefined;

/**
 * The children of an index that are listed next to it, as oras writes them, belong to it unless they have a name of
 * their own. An artifact alone is what was meant.
 */
export function sortRoots({ roots }: Images, contents: Contents): SortedRoots {
  const isCompanion = (root: Root): boolean =>
    root.subject !== undefined ||
    cosignSuffixOf(root) !== undefined ||
    fallbackSubjectOf(root, contents) !== undefined;
  const others = roots.filter((root) => !isCompanion(root));
  const children = childrenOf(others, contents);
  const images = others.filter((root) => !children.has(root));
  const companions = roots.filter(isCompanion).flatMap((root) => companionsOf(root, images, contents));
  if (images.length > 0) {
    return { images, companions };
  }
  const alone = roots.filter((root) => fallbackSubjectOf(root, contents) === undefined);
  return { images: alone.length > 0 ? alone : roots, companions: [] };
}

/** Those that an index among them has in it, and that have no name, or the index's own tag. */
function childrenOf(roots: readonly Root[], contents: Contents): Set<Root> {
  const indexes = roots.filter(({ digest }) => contents.childrenOf(digest).length > 0);
  const listed = indexes.flatMap((root) =>
    contents.childrenOf(root.digest).map(({ digest }) => ({ digest, tag: ownTagOf(root) })),
  );
  const within = contents.closureOf(listed.map(({ digest }) => digest)).manifests;
  const underTags = new Set(listed.map(({ digest, tag }) => `${tag} ${digest}`));
  return new Set(
    roots.filter((root) =>
      root.refName === undefined
        ? within.has(root.digest)
        : underTags.has(`${ownTagOf(root)} ${root.digest}`),
    ),
  );
}

function companionsOf(root: Root, images: readonly Root[], contents: Contents): Companion[] {
  const { digest, subject } = root;
  const suffix = cosignSuffixOf(root);
  if (suffix !== undefined) {
    const signed = signedBy(root, images);
    return [{ digest, subject: signed, tag: signed && `${signed.replace(':', '-')}${suffix}` }];
  }
  const fallen = fallbackSubjectOf(root, contents);
  if (fallen === undefined) {
    return [{ digest, subject, tag: ownTagOf(root) }];
  }
  // ECR lists what refers to an image by itself: the list is for registries that do not.
  return contents
    .childrenOf(digest)
    .map((child) => ({ digest: child.digest, subject: fallen, tag: undefined }));
}

/** The image that has the same name, or the only one. */
function signedBy({ refName }: Root, images: readonly Root[]): string | undefined {
  const named = images.filter((image) => refName !== undefined && image.refName === refName);
  const digests = new Set((named.length > 0 ? named : images).map(({ digest }) => digest));
  return digests.size === 1 ? [...digests][0] : undefined;
}

/**
 * The image that a list of referrers is of, where a root is one: an index under the tag `sha256-…`.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#referrers-tag-schema
 */
function fallbackSubjectOf(root: Root, contents: Contents): string | undefined {
  const [, hex] = /^sha256-([0-9a-f]{64})$/.exec(ownTagOf(root) ?? '') ?? [];
  const list = contents.manifest(root.digest);
  if (hex === undefined || !list || !isIndexType(list.mediaType)) {
    return undefined;
  }
  const subject = `sha256:${hex}`;
  const isOfIt = contents.childrenOf(root.digest).every((child) => {
    const manifest = contents.manifest(child.digest);
    return manifest === undefined || manifest.subject === subject;
  });
  return isOfIt ? subject : undefined;
}
