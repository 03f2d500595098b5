// Manifests and indexes: put into ECR, and read from it.

import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { sha256Of } from '../../api/digest.ts';
import { maxManifestCharacters } from '../../api/limits.ts';
import type { ProxyError } from '../../api/proxy-error.ts';
import type { ImageReference } from '../port.ts';
import { lengthOf } from './content-range.ts';
import type { Exchange, Handler } from './exchange.ts';
import { isDigest, isStorable, isTag, storableDigestOf, tagOf } from './names.ts';
import { isMeant, isRefused, OciError } from './oci-errors.ts';

/** What concerns a registry of a manifest; ECR judges the rest. To registries written in Go null is absent. */
const manifestMembers = z.object({
  mediaType: z.string().nullish(),
  subject: z.object({ digest: z.string() }).nullish(),
  manifests: z
    .array(z.object({ mediaType: z.string().nullish() }))
    .nullish()
    .catch(null),
});
type ManifestMembers = z.output<typeof manifestMembers>;

/** `PUT …/manifests/<tag or digest>` */
export const putManifest: Handler = async (exchange) => {
  const { port, repositoryName, reference, headers } = exchange;
  const expected = isDigest(reference) ? storableDigestOf(reference) : undefined;
  const tag = expected === undefined ? tagOf(reference) : undefined;
  const bytes = await readManifest(exchange);
  const members = membersOf(bytes);
  const digest = sha256Of(bytes);
  if (expected !== undefined && expected !== digest) {
    throw new OciError('DIGEST_INVALID', `the manifest has the digest ${digest}`);
  }
  const mediaType = mediaTypeOf(headers['content-type']) ?? members.mediaType ?? undefined;
  const { listsReferrers } = await port
    .putManifest(repositoryName, { tag, digest, mediaType, bytes })
    .catch((error: unknown) => {
      throw isListOfLayers(members, error) ? noListsOfLayers(error) : error;
    });
  const subject = members.subject?.digest;
  return {
    status: 201,
    headers: {
      location: `/v2/${repositoryName}/manifests/${digest}`,
      'docker-content-digest': digest,
      // Says that the referrers API is there, so that no client keeps a list of its own under a tag.
      ...(listsReferrers && subject !== undefined && isStorable(subject) && { 'oci-subject': subject }),
    },
  };
};

/** BuildKit's cache, unless it is told otherwise: an index that lists the layers, and no image, among them this. */
const buildCacheConfig = 'application/vnd.buildkit.cacheconfig.v0';

const isListOfLayers = ({ manifests }: ManifestMembers, error: unknown): error is ProxyError =>
  isRefused(error, 'manifest', ['MANIFEST_BLOB_UNKNOWN']) &&
  manifests?.some(({ mediaType }) => mediaType === buildCacheConfig) === true;

const noListsOfLayers = (cause: ProxyError): OciError =>
  new OciError(
    'MANIFEST_BLOB_UNKNOWN',
    'ECR takes indexes of images alone, and this one lists the layers of a build cache: add image-manifest=true,oci-mediatypes=true to --cache-to',
    { detail: { code: cause.code }, cause },
  );

const unknown = (cause?: unknown): OciError =>
  new OciError('MANIFEST_UNKNOWN', 'this repository has no such image', { cause });

/**
 * `HEAD …/manifests/<tag or digest>`. Who may push and not read is told that it is not there, and everybody where ECR
 * reads none: containerd and crane ask before they push, send their manifest after a 404, and give up after a 403.
 */
export const headManifest: Handler = async (exchange) => {
  try {
    return await getManifest(exchange);
  } catch (error) {
    throw isMeant(error, 'AccessDeniedException', 'UnsupportedCommandException') ? unknown(error) : error;
  }
};

/**
 * `GET …/manifests/<tag or digest>`. Who may not read is refused: cosign and notation take a 404 for an empty list, and
 * overwrite what is there.
 */
export const getManifest: Handler = async ({ port, repositoryName, reference, holdManifest }) => {
  const image = imageReferenceOf(reference);
  const manifest = image && (await port.getManifest(repositoryName, image));
  if (!manifest) {
    throw unknown();
  }
  const { mediaType, digest, bytes } = manifest;
  holdManifest(bytes.length);
  return {
    status: 200,
    headers: { 'content-type': headerOf(mediaType), 'docker-content-digest': digest },
    body: bytes,
  };
};

/** A media type is whatever somebody has pushed, and a header is one line of ASCII. */
const headerOf = (mediaType: string): string =>
  /^[\x20-\x7e]+$/.test(mediaType) ? mediaType : 'application/octet-stream';

/** Undefined for what no image can have. */
function imageReferenceOf(reference: string): ImageReference | undefined {
  if (isDigest(reference)) {
    return isStorable(reference) ? { digest: reference } : undefined;
  }
  return isTag(reference) ? { tag: reference } : undefined;
}

/** Without its parameters, which ECR takes for a part of it. */
const mediaTypeOf = (contentType: string | undefined): string | undefined =>
  contentType?.split(';', 1)[0]?.trim() || undefined;

async function readManifest({ headers, body, holdManifest }: Exchange): Promise<Buffer> {
  const length = lengthOf(headers) ?? maxManifestCharacters;
  if (length > maxManifestCharacters) {
    throw tooLarge();
  }
  holdManifest(length);
  return buffer(limited(body));
}

async function* limited(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxManifestCharacters) {
      throw tooLarge();
    }
    yield chunk;
  }
}

const tooLarge = (): OciError =>
  new OciError('SIZE_INVALID', `ECR takes manifests of up to ${maxManifestCharacters} characters`);

/** @throws OciError MANIFEST_INVALID */
function membersOf(bytes: Buffer): ManifestMembers {
  try {
    return manifestMembers.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw new OciError('MANIFEST_INVALID', 'the manifest is not JSON, or its members are not what OCI says', {
      cause: error,
    });
  }
}
