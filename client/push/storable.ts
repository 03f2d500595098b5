// Refuses what ECR or the API cannot store, before anything is sent.

import { maxEventBytes, maxManifestCharacters } from '../../api/limits.ts';
import type { Contents } from './contents.ts';
import type { Manifest } from './image.ts';
import { isIndexType, isManifestType, isSchema1Type } from './media-types.ts';
import { SourceProblem } from './source-problem.ts';

/** Of an event, what is not the body: headers, which come twice, path and context. Less than 2 kB on the local stack. */
const envelopeBytes = 4_096;

/** @throws SourceProblem that names the manifest, or what it names */
export function refuseUnstorable(manifest: Manifest, contents: Contents): void {
  const { digest, mediaType } = manifest;
  const members = contents.members(manifest);
  if (isSchema1Type(mediaType) || members.schemaVersion === 1) {
    throw new SourceProblem(`${digest} is a manifest of docker's schema 1, which ECR does not store`);
  }
  if (!isManifestType(mediaType)) {
    throw new SourceProblem(`${digest} says that it is ${mediaType}, which is no manifest that ECR stores`);
  }
  refuseEmptyBlobs(manifest, contents);
  if (isIndexType(mediaType)) {
    refuseForeignChildren(manifest, contents);
  }
  refuseTooLarge(manifest);
}

function refuseEmptyBlobs(manifest: Manifest, contents: Contents): void {
  const empty = contents.blobsOf(manifest).find(({ size }) => size === 0);
  if (empty) {
    throw new SourceProblem(
      `${empty.digest}, which ${manifest.digest} of the source names, has no bytes, and ECR takes no layer without any`,
    );
  }
}

/** @throws SourceProblem for an index that lists nothing, or what is no image */
export function refuseForeignChildren({ digest }: Manifest, contents: Contents): void {
  const children = contents.childrenOf(digest);
  if (children.length === 0) {
    throw new SourceProblem(
      `${digest} in the source is an index that lists nothing, which ECR does not store`,
    );
  }
  const foreign = children.find((child) => !isManifestType(child.mediaType));
  if (foreign) {
    throw new SourceProblem(
      `${digest} in the source is an index that lists ${foreign.digest}, which is ${foreign.mediaType}: ECR stores indexes of images alone (BuildKit writes its cache as an image with image-manifest=true)`,
    );
  }
}

/**
 * A manifest is text in the body's JSON, and the body is text in the event's: its quotation marks are escaped twice.
 * @see the limits of Lambda and of ECR in api/limits.ts
 */
function refuseTooLarge({ digest, text }: Manifest): void {
  if (text.length > maxManifestCharacters) {
    throw new SourceProblem(
      `${digest} in the source has ${text.length} characters, and ECR takes manifests of ${maxManifestCharacters} at most`,
    );
  }
  const eventBytes = Buffer.byteLength(JSON.stringify(JSON.stringify(text))) + envelopeBytes;
  if (eventBytes > maxEventBytes) {
    throw new SourceProblem(
      `${digest} in the source is too large for the API: in a request it takes ${eventBytes} bytes, and less than ${maxEventBytes} are taken`,
    );
  }
}
