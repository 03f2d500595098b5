// The registry endpoint's image on this machine: a folder of the cloud assembly with what the image would hold.

import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, serverBundle } from '../../lib/functions/bundling.ts';
import { assertWritten, hashOf, writeBundle } from '../../lib/functions/function-code.ts';
import { checkedPolicies } from '../../lib/policies.ts';
import { localAccount } from '../account.ts';

export type LocalImage = {
  /** As the configuration names an image. */
  reference: string;
  contents: string;
  bundle: Bundle;
};

/** Nobody pulls it, so that no manifest has its digest: that is the hash of its contents, by which it is found. */
export const imageDirectory = (cdkOut: string, digest: string): string => join(cdkOut, `image.${digest}`);

const repository = `${localAccount.accountId}.dkr.ecr.${localAccount.region}.amazonaws.com/registry-endpoint`;

/** @throws ConfigurationError for policies that cannot be deployed */
export function bundleImage(policyDirectory: string): LocalImage {
  const bundle = serverBundle(checkedPolicies(policyDirectory).files);
  const contents = hashOf(bundle);
  return { reference: `${repository}:${contents}@sha256:${contents}`, contents, bundle };
}

/**
 * Whole or not at all: another process may be about to start from it, or to write the same.
 *
 * @throws Error where it is there with other files
 */
export function writeImage(cdkOut: string, { contents, bundle }: LocalImage): void {
  const directory = imageDirectory(cdkOut, contents);
  const unfinished = mkdtempSync(`${directory}.`);
  writeBundle(unfinished, bundle);
  try {
    renameSync(unfinished, directory);
  } catch {
    // It is there already.
    rmSync(unfinished, { recursive: true });
  }
  assertWritten(directory, bundle);
}
