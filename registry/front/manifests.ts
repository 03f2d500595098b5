// Manifests and indexes: put into ECR, and read back as long as they are remembered here.

import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { maxManifestCharacters } from '../../api/limits.ts';
import { sha256Of } from '../../client/digest.ts';
import { digestOf } from './digests.ts';
import { type Exchange, type Handler, scopeOf } from './exchange.ts';
import { OciError } from './oci-errors.ts';

/** To registries written in Go a member that is null is absent, and an annotation that is null is an empty text. */
const annotations = z
  .record(
    z.string(),
    z
      .string()
      .nullable()
      .transform((text) => text ?? ''),
  )
  .nullish();

/** What concerns a registry of a manifest; ECR judges the rest. */
const manifestMembers = z.object({
  mediaType: z.string().nullish(),
  artifactType: z.string().nullish(),
  annotations,
  config: z.object({ mediaType: z.string() }).nullish(),
  subject: z.object({ digest: z.string() }).nullish(),
});

/** `PUT …/manifests/<tag or digest>` */
export const putManifest: Handler = async (exchange) => {
  const { identity, destination, reference, pushed, headers } = exchange;
  const bytes = await readManifest(exchange);
  const imageManifest = bytes.toString();
  const members = membersOf(imageManifest);
  const digest = sha256Of(bytes);
  const place = placeOf(reference, digest);
  const mediaType = headers['content-type'] ?? members.mediaType ?? undefined;
  await identity.uploader.putImage({
    ...destination,
    ...place,
    imageManifest,
    imageManifestMediaType: mediaType,
    imageDigest: digest,
  });
  const scope = scopeOf(exchange);
  pushed.keep(scope, digest, { bytes, mediaType: mediaType ?? 'application/octet-stream' });
  if (place.imageTag !== undefined) {
    pushed.tag(scope, place.imageTag, digest);
  }
  const subject = members.subject?.digest;
  if (subject !== undefined) {
    const artifactType = members.artifactType ?? members.config?.mediaType;
    const referrer = { mediaType: mediaType ?? '', digest, size: bytes.length, artifactType };
    pushed.refer(scope, subject, { ...referrer, annotations: members.annotations ?? undefined });
  }
  return {
    status: 201,
    headers: {
      location: `/v2/${destination.repositoryName}/manifests/${digest}`,
      'docker-content-digest': digest,
      // Says that the referrers API is there, so that no client keeps a list of its own under a tag.
      ...(subject !== undefined && { 'oci-subject': subject }),
    },
  };
};

/** `GET` and `HEAD …/manifests/<tag or digest>` */
export const getManifest: Handler = async (exchange) => {
  const { pushed, reference } = exchange;
  const scope = scopeOf(exchange);
  const digest = pushed.digestOf(scope, reference);
  const manifest = pushed.find(scope, digest);
  if (!manifest) {
    throw new OciError(
      'MANIFEST_UNKNOWN',
      'this registry takes pushes: it gives back only manifests that were lately pushed through it',
    );
  }
  const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': digest };
  return { status: 200, headers, body: manifest.bytes };
};

function placeOf(reference: string, digest: string): { imageTag?: string } {
  if (!reference.includes(':')) {
    return { imageTag: reference };
  }
  if (digestOf(reference) === digest) {
    return {};
  }
  throw new OciError('DIGEST_INVALID', `the manifest has the digest ${digest}`);
}

async function readManifest({ headers, body }: Exchange): Promise<Buffer> {
  if (Number(headers['content-length'] ?? 0) > maxManifestCharacters) {
    throw tooLarge();
  }
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
function membersOf(text: string): z.output<typeof manifestMembers> {
  try {
    return manifestMembers.parse(JSON.parse(text));
  } catch {
    throw new OciError('MANIFEST_INVALID', 'the manifest is not JSON, or its members are not what OCI says');
  }
}
