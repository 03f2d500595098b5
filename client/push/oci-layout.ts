// Reads an OCI image layout: a directory's or an archive's index.json, and all that it leads to.

import { z } from 'zod';
import { sha256Of } from '../../api/digest.ts';
import { Documents, listOf, object, parseAs, printableText } from './documents.ts';
import type { Files } from './files.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import {
  blobsNamedIn,
  type Descriptor,
  descriptorMembers,
  manifestMembers,
  mediaTypeText,
  optional,
} from './manifest-members.ts';
import { isForeignType, isManifestType, isSchema1Type } from './media-types.ts';
import { platformOf } from './platform.ts';
import { tagOfContainerdName, tagOfRefName } from './reference.ts';
import { SourceProblem } from './source-problem.ts';

const refNames = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'] as const;
const name = printableText(4_096);

const rootDescriptor = object({
  ...descriptorMembers,
  annotations: optional(
    object({ [refNames[0]]: optional(name), [refNames[1]]: optional(name), kind: optional(name) }),
  ),
});
type RootDescriptor = z.output<typeof rootDescriptor>;

const anyDescriptor = object({ mediaType: mediaTypeText, digest: name });

/**
 * What an index.json lists. A descriptor of a media type that is not a manifest's is ignored, whatever it says.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md#indexjson-file
 */
const listed = z.unknown().transform((value, context) => {
  const { data } = anyDescriptor.safeParse(value);
  if (data && !isManifestType(data.mediaType)) {
    return { passedOver: data };
  }
  const parsed = rootDescriptor.safeParse(value);
  for (const { path, message } of parsed.error?.issues ?? []) {
    context.addIssue({ code: 'custom', path, message });
  }
  return parsed.data ? { root: parsed.data } : z.NEVER;
});

const index = object({ manifests: optional(listOf(listed)) });

/** An index of an index of an index is rare already. */
const maxDepth = 8;
const maxManifests = 10_000;

const nameOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

/**
 * What is named and not there is left out: an archive of one platform names the others too.
 * @throws SourceProblem when something is not what its digest says
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
export async function readOciLayout(files: Files): Promise<Images> {
  const documents = new Documents(files);
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Manifest>();

  const addBlob = async (blob: Descriptor): Promise<void> => {
    const { digest, size, mediaType } = blob;
    refuseSha512(digest);
    const known = blobs.get(digest);
    const file = known ? undefined : await files.find(nameOf(digest));
    const inline = known || file ? undefined : inlineOf(blob);
    const actual = (known ?? file)?.size ?? inline?.length;
    if (actual === undefined) {
      return;
    }
    if (actual !== size) {
      throw new SourceProblem(`${digest} has ${actual} bytes in the source, not ${size}`);
    }
    if (known) {
      return;
    }
    const source = (fromByte: number) => file?.open(fromByte) ?? only(inline?.subarray(fromByte));
    blobs.set(digest, { digest, size, mediaType, source, file: file?.name });
  };

  const addManifest = async (
    { digest, mediaType, size }: Descriptor,
    depth: number,
  ): Promise<Manifest | undefined> => {
    refuseSha512(digest);
    const known = manifests.get(digest);
    if (known) {
      return known;
    }
    if (!(await files.find(nameOf(digest)))) {
      return undefined;
    }
    if (depth > maxDepth) {
      throw new SourceProblem(`${digest} is in an index more than ${maxDepth} deep`);
    }
    const document = await documents.read(nameOf(digest));
    if (sha256Of(document.bytes) !== digest) {
      throw new SourceProblem(`${nameOf(digest)} in the source is damaged: it has another digest`);
    }
    if (document.bytes.length !== size) {
      throw new SourceProblem(
        `${nameOf(digest)} has ${document.bytes.length} bytes in the source, not ${size}`,
      );
    }
    const members = parseAs(document, nameOf(digest), manifestMembers);
    for (const child of (members.manifests ?? []).filter((one) => isManifestType(one.mediaType))) {
      await addManifest(child, depth + 1);
    }
    for (const blob of blobsNamedIn(members).filter((one) => !isForeignType(one.mediaType))) {
      await addBlob(blob);
    }
    const manifest = {
      digest,
      mediaType: members.mediaType ?? mediaType,
      text: document.text,
      subject: members.subject?.digest,
    };
    manifests.set(digest, manifest);
    if (manifests.size > maxManifests) {
      throw new SourceProblem(`the source has more than ${maxManifests} manifests`);
    }
    return manifest;
  };

  const roots: Root[] = [];
  const passedOver: { digest: string; mediaType: string }[] = [];
  for (const one of (await documents.readAs('index.json', index)).manifests ?? []) {
    if (one.passedOver) {
      passedOver.push(one.passedOver);
    } else {
      roots.push(rootOf(one.root, await addManifest(one.root, 0)));
    }
  }
  if (roots.length === 0) {
    throw new SourceProblem(nothingIn(passedOver));
  }
  return { blobs: [...blobs.values()], manifests: [...manifests.values()], roots, passedOver };
}

function refuseSha512(digest: string): void {
  if (digest.startsWith('sha512:')) {
    throw new SourceProblem(
      `the source names ${digest}, and ECR stores nothing under another digest than sha256`,
    );
  }
}

/** containerd's name is the whole one, OCI's is the tag. */
function rootOf({ digest, platform, annotations }: RootDescriptor, manifest: Manifest | undefined): Root {
  const [refName, fullName] = refNames.map((name) => annotations?.[name] ?? undefined);
  const tag = (refName && tagOfRefName(refName)) ?? (fullName && tagOfContainerdName(fullName));
  return {
    digest,
    refName: fullName ?? refName,
    tag,
    platform: platformOf(platform ?? {}),
    subject: manifest?.subject,
    kind: annotations?.kind ?? undefined,
  };
}

function nothingIn(passedOver: readonly { mediaType: string }[]): string {
  const types = [...new Set(passedOver.map(({ mediaType }) => mediaType))].slice(0, 5);
  if (types.length === 0) {
    return 'index.json in the source lists no images';
  }
  const why = types.some(isSchema1Type) ? ', and docker’s schema 1 is nothing that ECR stores' : '';
  return `index.json in the source lists no images, but ${types.join(', ')}${why}`;
}

/** What a descriptor brings along, if it is what its digest says. */
function inlineOf({ data, digest }: Descriptor): Buffer | undefined {
  const inline = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
  return inline && sha256Of(inline) === digest ? inline : undefined;
}

async function* only(bytes: Uint8Array = new Uint8Array()): AsyncGenerator<Uint8Array> {
  yield bytes;
}
