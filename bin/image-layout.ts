// The image of the registry endpoint's server as an OCI layout: a base with Node.js, and one layer more. No Docker.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { z } from 'zod';
import { sha256Of } from '../api/digest.ts';
import { chooseImages } from '../client/push/choice.ts';
import type { Blob, Images } from '../client/push/image.ts';
import { openSource } from '../client/push/source.ts';
import type { Bundle } from '../lib/functions/bundling.ts';
import { hashOf } from '../lib/functions/function-code.ts';
import { imageDirectory, nodePath, serverPath } from '../lib/registry-endpoint/image-contents.ts';

export type LayoutOptions = {
  /** An OCI layout or an archive, of linux/arm64 or with it among others. */
  base: string;
  bundle: Bundle;
  /** Where the base has Node.js; by default what its entry point says, or where Docker's official image has it. */
  node: string | undefined;
  /** A folder, made here. */
  out: string;
};

/** What names the image: `REPOSITORY:contents@digest`. */
export type WrittenImage = { contents: string; digest: string };

const platform = 'linux/arm64';

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Docker's names of what OCI took over from it; any other stays as it is. */
const ociTypeOf = (mediaType: string): string =>
  mediaType === 'application/vnd.docker.image.rootfs.diff.tar.gzip' ? mediaTypes.layer : mediaType;

const descriptor = z.looseObject({ mediaType: z.string(), digest: z.string(), size: z.number() });
const manifestOf = z.looseObject({ config: descriptor, layers: z.array(descriptor) });
const configOf = z.looseObject({
  config: z.looseObject({ Entrypoint: z.array(z.string()).nullish() }).nullish(),
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
  history: z.array(z.unknown()).nullish(),
});

type Config = z.output<typeof configOf>;

/** @throws SourceProblem where the base is none for the platform, or not whole */
export async function writeImageLayout({ base, bundle, node, out }: LayoutOptions): Promise<WrittenImage> {
  const source = await openSource(base, {
    input: process.stdin,
    maxUnpackedBytes: undefined,
    signal: undefined,
  });
  try {
    return await writeOn(source, { bundle, node, out });
  } finally {
    await source.close();
  }
}

async function writeOn(
  source: Images,
  { bundle, node, out }: Omit<LayoutOptions, 'base'>,
): Promise<WrittenImage> {
  const { blobs, manifests } = await chooseImages(source, { tag: 'base', platform });
  const { config: configDescriptor, layers } = manifestOf.parse(JSON.parse(manifests[0]?.text ?? ''));
  const blobOf = (digest: string) => blobs.find((blob) => blob.digest === digest);
  const config = configOf.parse(JSON.parse(String(await bytesOf(blobOf(configDescriptor.digest)))));
  const tar = await tarOf(bundle, node ?? nodeOf(config));
  const layer = gzipped(tar);
  const contents = hashOf(bundle);

  await mkdir(join(out, 'blobs', 'sha256'), { recursive: true });
  for (const { digest } of layers) {
    await copy(blobOf(digest), out);
  }
  const put = (mediaType: string, bytes: Buffer) => putBlob(out, mediaType, bytes);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await put(mediaTypes.config, Buffer.from(JSON.stringify(withServer(config, sha256Of(tar))))),
    layers: [
      ...layers.map(({ mediaType, digest, size }) => ({ mediaType: ociTypeOf(mediaType), digest, size })),
      await put(mediaTypes.layer, layer),
    ],
  };
  const root = await put(mediaTypes.manifest, Buffer.from(JSON.stringify(manifest)));
  const annotations = { 'org.opencontainers.image.ref.name': contents };
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{ ...root, annotations }] };
  await writeFile(join(out, 'index.json'), JSON.stringify(index));
  await writeFile(join(out, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return { contents, digest: root.digest };
}

/** Distroless images begin with it; that of Docker's official image is a shell script. */
function nodeOf({ config }: Config): string {
  const [first = ''] = config?.Entrypoint ?? [];
  return /^\/.*\/node$/.test(first) ? first : '/usr/local/bin/node';
}

/** The task definition says the same: an image that is run by hand does what the service does. */
const withServer = ({ config, rootfs, history, ...rest }: Config, diffId: string) => ({
  ...rest,
  config: { ...config, Entrypoint: [nodePath], Cmd: [serverPath], WorkingDir: imageDirectory, User: '65532' },
  rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, diffId] },
  history: [...(history ?? []), { created_by: 'ecr-upload-proxy: the registry endpoint' }],
});

/** The same bytes whoever writes them: nobody's files, of no time. */
async function tarOf(bundle: Bundle, node: string): Promise<Buffer> {
  const archive = pack();
  const root = imageDirectory.slice(1);
  const written = buffer(archive);
  const mtime = new Date(0);
  const directories = new Set(
    [...bundle.keys()].flatMap((path) => (path.includes('/') ? [path.slice(0, path.lastIndexOf('/'))] : [])),
  );
  for (const directory of ['opt', root, ...[...directories].map((path) => `${root}/${path}`)]) {
    archive.entry({ name: `${directory}/`, type: 'directory', mode: 0o755, mtime });
  }
  archive.entry({ name: nodePath.slice(1), type: 'symlink', linkname: node, mode: 0o777, mtime });
  for (const [path, bytes] of [...bundle].sort(([a], [b]) => (a < b ? -1 : 1))) {
    archive.entry({ name: `${root}/${path}`, mode: 0o644, mtime }, Buffer.from(bytes));
  }
  archive.finalize();
  return written;
}

/** Gzip says which system wrote it: here, that nobody knows. Source: RFC 1952, section 2.3.1, OS. */
function gzipped(tar: Buffer): Buffer {
  const bytes = gzipSync(tar);
  bytes[9] = 255;
  return bytes;
}

async function putBlob(out: string, mediaType: string, bytes: Buffer) {
  const digest = sha256Of(bytes);
  await writeFile(join(out, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
  return { mediaType, digest, size: bytes.length };
}

function chunksOf(blob: Blob | undefined): AsyncIterable<Uint8Array> {
  if (!blob) {
    throw new Error('the base names a blob that it does not hold');
  }
  return typeof blob.source === 'function' ? blob.source(0) : blob.source;
}

const bytesOf = (blob: Blob | undefined): Promise<Buffer> => buffer(Readable.from(chunksOf(blob)));

async function copy(blob: Blob | undefined, out: string): Promise<void> {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const hex = blob?.digest.slice('sha256:'.length) ?? '';
  await pipeline(
    Readable.from(chunksOf(blob)),
    hashing,
    createWriteStream(join(out, 'blobs', 'sha256', hex)),
  );
  if (hash.digest('hex') !== hex) {
    throw new Error(`the base’s ${blob?.digest} is damaged`);
  }
}
