// Shows what skopeo's `dir:` and podman's docker-dir write as the OCI layout that it nearly is.

import { z } from 'zod';
import { sha256Of } from '../../api/digest.ts';
import { Documents, object, parseAs, printableText } from './documents.ts';
import type { Files, SourceFile } from './files.ts';
import { SourceProblem } from './source-problem.ts';

const image = 'application/vnd.oci.image.manifest.v1+json';
const index = 'application/vnd.oci.image.index.v1+json';

const manifest = object({
  schemaVersion: z.unknown().optional(),
  mediaType: printableText(255).nullish(),
  manifests: z.unknown().optional(),
});

const manifestName = 'manifest.json';
const blobPath = /^blobs\/sha256\/([0-9a-f]{64})$/;

/**
 * The manifest is manifest.json, those of an index are DIGITS.manifest.json next to it, and a blob is DIGITS.
 * @throws SourceProblem
 * @see https://github.com/containers/image/blob/v5.36.0/directory/directory_transport.go
 */
export async function layoutOfDockerDir(files: Files): Promise<Files> {
  const document = await new Documents(files).read(manifestName);
  const { schemaVersion, mediaType, manifests } = parseAs(document, manifestName, manifest);
  if (schemaVersion === 1) {
    throw new SourceProblem(
      `${manifestName} in the source is of docker's schema 1, which ECR does not store`,
    );
  }
  const digest = sha256Of(document.bytes);
  const descriptor = {
    mediaType: mediaType ?? (manifests ? index : image),
    digest,
    size: document.bytes.length,
  };
  const listed = JSON.stringify({ schemaVersion: 2, manifests: [descriptor] });
  return {
    async find(name) {
      if (name === 'index.json') {
        return fileOfText(name, listed);
      }
      const [, digits] = blobPath.exec(name) ?? [];
      if (digits === undefined) {
        return undefined;
      }
      if (digest.endsWith(digits)) {
        return files.find(manifestName);
      }
      return (await files.find(`${digits}.${manifestName}`)) ?? files.find(digits);
    },
    close: files.close,
  };
}

const fileOfText = (name: string, text: string): SourceFile => ({
  name,
  size: Buffer.byteLength(text),
  async *open(fromByte) {
    yield Buffer.from(text).subarray(fromByte);
  },
});
