// Reads an OCI image layout: a directory's or an archive's index.json, and all that it leads to.

import { z } from 'zod';
import { sha256Of } from '../digest.ts';
import { Documents, digestText, listOf, object, parseAs, printableText } from './documents.ts';
import type { Files } from './files.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import { SourceProblem } from './source-problem.ts';

/** Go reads null as no member at all. */
const optional = <Member extends z.ZodType>(member: Member) => member.nullish();

const refNames = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'] as const;
const name = printableText(4_096);
const mediaType = printableText(255);

const descriptor = object({
  mediaType,
  digest: digestText,
  size: z.int({ error: 'is missing or not a size' }).nonnegative({ error: 'is not a size' }),
  data: optional(z.string({ error: 'is not text' })),
  annotations: optional(object({ [refNames[0]]: optional(name), [refNames[1]]: optional(name) })),
});
type Descriptor = z.output<typeof descriptor>;

const index = object({ manifests: optional(listOf(descriptor)) });

/** An image manifest has a config and layers, an index has manifests, and either may have a subject. */
const manifestMembers = object({
  mediaType: optional(mediaType),
  config: optional(descriptor),
  layers: optional(listOf(descriptor)),
  manifests: optional(listOf(descriptor)),
  subject: optional(descriptor),
});

/** An index of an index of an index is rare already. */
const maxDepth = 8;
const maxManifests = 10_000;

/** Layers that registries need not hold, and that no layout has to. */
const isStored = ({ mediaType }: Descriptor): boolean => !/\.(foreign|nondistributable)\./.test(mediaType);

const nameOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

export const isOciLayout = async (files: Files): Promise<boolean> =>
  (await files.find('index.json')) !== undefined && (await files.find('oci-layout')) !== undefined;

/**
 * @throws SourceProblem when something that is named is not there, or is not what its digest says
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
export async function readOciLayout(files: Files): Promise<Images> {
  const documents = new Documents(files);
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Manifest>();

  const addBlob = async (blob: Descriptor): Promise<void> => {
    const { digest, size, mediaType } = blob;
    if (blobs.has(digest)) return;
    const file = await files.find(nameOf(digest));
    const inline = file ? undefined : inlineOf(blob);
    const actual = file?.size ?? inline?.length;
    if (actual === undefined) throw new SourceProblem(`the source names ${digest} and does not hold it`);
    if (actual !== size) throw new SourceProblem(`${digest} has ${actual} bytes in the source, not ${size}`);
    const source = (fromByte: number) => file?.open(fromByte) ?? only(inline?.subarray(fromByte));
    blobs.set(digest, { digest, size, mediaType, source });
  };

  const addManifest = async ({ digest, mediaType }: Descriptor, depth: number): Promise<Manifest> => {
    const known = manifests.get(digest);
    if (known) return known;
    if (depth > maxDepth) throw new SourceProblem(`${digest} is in an index more than ${maxDepth} deep`);
    const document = await documents.read(nameOf(digest));
    if (sha256Of(document.bytes) !== digest)
      throw new SourceProblem(`the manifest ${digest} in the source has another digest`);
    const members = parseAs(document, nameOf(digest), manifestMembers);
    for (const child of members.manifests ?? []) await addManifest(child, depth + 1);
    const { config, layers, subject } = members;
    for (const blob of [...(config ? [config] : []), ...(layers ?? []).filter(isStored)]) await addBlob(blob);
    const manifest = {
      digest,
      mediaType: members.mediaType ?? mediaType,
      text: document.text,
      subject: subject?.digest,
    };
    manifests.set(digest, manifest);
    if (manifests.size > maxManifests)
      throw new SourceProblem(`the source has more than ${maxManifests} manifests`);
    return manifest;
  };

  const roots: Root[] = [];
  for (const root of (await documents.readAs('index.json', index)).manifests ?? []) {
    const { digest, subject } = await addManifest(root, 0);
    const refName = refNames.map((name) => root.annotations?.[name]).find((name) => typeof name === 'string');
    roots.push({ digest, refName: refName ?? undefined, subject });
  }
  if (roots.length === 0) throw new SourceProblem('index.json in the source lists no images');
  return { blobs: [...blobs.values()], manifests: [...manifests.values()], roots };
}

/** What a descriptor brings along, if it is what its digest says. */
function inlineOf({ data, digest }: Descriptor): Buffer | undefined {
  const inline = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
  return inline && sha256Of(inline) === digest ? inline : undefined;
}

async function* only(bytes: Uint8Array = new Uint8Array()): AsyncGenerator<Uint8Array> {
  yield bytes;
}
