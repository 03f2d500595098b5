// Reads an OCI image layout: a directory's or an archive's index.json, and all that it leads to.

import { z } from 'zod';
import { sha256Of } from '../digest.ts';
import { type Files, readDocument, readJson } from './files.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import { SourceProblem } from './source-problem.ts';

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  data: z.base64().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
type Descriptor = z.output<typeof descriptor>;

const index = z.object({ manifests: z.array(descriptor) });

/** An image manifest has a config and layers, an index has manifests, and either may have a subject. */
const manifestMembers = z.object({
  mediaType: z.string().optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).default([]),
  manifests: z.array(descriptor).default([]),
  subject: descriptor.optional(),
});

const refNames = ['org.opencontainers.image.ref.name', 'io.containerd.image.name'] as const;

/** Layers that registries need not hold, and that no layout has to. */
const isStored = ({ mediaType }: Descriptor): boolean => !/\.(foreign|nondistributable)\./.test(mediaType);

const nameOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

export const isOciLayout = async (files: Files): Promise<boolean> =>
  (await files.size('index.json')) !== undefined && (await files.size('oci-layout')) !== undefined;

/**
 * @throws SourceProblem when something that is named is not there, or is not what its digest says
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
export async function readOciLayout(files: Files): Promise<Images> {
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Manifest>();

  const addBlob = async (blob: Descriptor): Promise<void> => {
    const { digest, size, mediaType, data } = blob;
    if (blobs.has(digest)) return;
    const inline = data === undefined ? undefined : Buffer.from(data, 'base64');
    const actual = (await files.size(nameOf(digest))) ?? inline?.length;
    if (actual === undefined) throw new SourceProblem(`the source names ${digest} and does not hold it`);
    if (actual !== size) throw new SourceProblem(`${digest} has ${actual} bytes in the source, not ${size}`);
    const source = (fromByte: number) =>
      inline ? only(inline.subarray(fromByte)) : files.open(nameOf(digest), fromByte);
    blobs.set(digest, { digest, size, mediaType, source });
  };

  const addManifest = async ({ digest, mediaType }: Descriptor): Promise<Manifest> => {
    const known = manifests.get(digest);
    if (known) return known;
    const bytes = await readDocument(files, nameOf(digest));
    if (sha256Of(bytes) !== digest)
      throw new SourceProblem(`the manifest ${digest} in the source has another digest`);
    const members = parse(manifestMembers, JSON.parse(bytes.toString()), digest);
    for (const child of members.manifests) await addManifest(child);
    const { config, layers, subject } = members;
    for (const blob of [...(config ? [config] : []), ...layers.filter(isStored)]) await addBlob(blob);
    const manifest = {
      digest,
      mediaType: members.mediaType ?? mediaType,
      text: bytes.toString(),
      subject: subject?.digest,
    };
    manifests.set(digest, manifest);
    return manifest;
  };

  const roots: Root[] = [];
  for (const root of parse(index, await readJson(files, 'index.json'), 'index.json').manifests) {
    const { digest, subject } = await addManifest(root);
    const refName = refNames.map((name) => root.annotations?.[name]).find((name) => name !== undefined);
    roots.push({ digest, refName, subject });
  }
  return { blobs: [...blobs.values()], manifests: [...manifests.values()], roots };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function parse<Output>(schema: z.ZodType<Output>, json: unknown, what: string): Output {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new SourceProblem(`${what} in the source is not what OCI says: ${z.prettifyError(parsed.error)}`);
}
