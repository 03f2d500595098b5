// The image that the tasks run, as the configuration names it: where it lies, what is in it, and its digest.

import { text } from '../configuration/configuration-values.ts';

const pattern =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?<repositoryName>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*):(?<contents>[0-9a-f]{64})@(?<digest>sha256:[0-9a-f]{64})$/;

/** The tag is the hash of the server and the policies in it: nothing else shows at synth what an image contains. */
export const imageReference = text(
  pattern,
  'what "npm run registry-image" prints: ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:CONTENTS@sha256:DIGEST',
);

export type ImageReference = {
  account: string;
  region: string;
  repositoryName: string;
  /** {@link hashOf} of the bundle that the image was made of. */
  contents: string;
  digest: string;
};

/** @param reference that {@link imageReference} has passed */
export function readImageReference(reference: string): ImageReference {
  const {
    account = '',
    region = '',
    repositoryName = '',
    contents = '',
    digest = '',
  } = pattern.exec(reference)?.groups ?? {};
  return { account, region, repositoryName, contents, digest };
}
