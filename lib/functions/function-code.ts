// The asset of a function: the contents of its bundle, byte for byte, with the same modes and hash on every machine.

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { AssetHashType, AssetStaging, BundlingOutput, DockerImage, Names, Stack } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import type { AssetOptions } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct, IConstruct } from 'constructs';
import { projectRoot } from '../project-root.ts';
import type { Bundle } from './bundling.ts';

/** Lambda reads code as a user of its own. Source: the Lambda developer guide, "Packaging", on permissions. */
const fileMode = 0o644;
const directoryMode = 0o755;
const modeBits = 0o777;

/** Set after writing, for the umask takes from what is asked for when a file is made. */
export function writeBundle(directory: string, bundle: Bundle): void {
  for (const [path, bytes] of bundle) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    chmodSync(dirname(file), directoryMode);
    writeFileSync(file, bytes);
    chmodSync(file, fileMode);
  }
}

/** Of everything that Lambda gets. The CDK's own leaves out modes, and takes CRLF and LF for the same. */
export function hashOf(bundle: Bundle): string {
  const hash = createHash('sha256').update(fileMode.toString(8));
  for (const [path, bytes] of [...bundle].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));

/** What is wrong with a file of the asset; Windows knows no modes. */
function faultOf(directory: string, bundle: Bundle, path: string): string | undefined {
  const expected = bundle.get(path);
  const file = join(directory, path);
  if (!expected) {
    return `${path} does not belong there`;
  }
  if (!readFileSync(file).equals(expected)) {
    return `${path} has other bytes`;
  }
  const mode = statSync(file).mode & modeBits;
  return process.platform === 'win32' || mode === fileMode
    ? undefined
    : `${path} has the mode ${mode.toString(8)}`;
}

/**
 * An asset that is in the output already is taken as it is by the CDK. It may have been copied there under another
 * umask, or edited.
 *
 * @throws Error with what differs
 */
export function assertWritten(directory: string, bundle: Bundle): void {
  const found = filesIn(directory);
  const faults = [
    ...found.map((path) => faultOf(directory, bundle, path)),
    ...[...bundle.keys()].filter((path) => !found.includes(path)).map((path) => `${path} is missing`),
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) {
    const what = `${directory} is not what was bundled: ${faults.join(', ')}`;
    throw new Error(`${what}. Delete it, and synthesize again.`);
  }
}

/** Never asked: what would run in it is done here. */
const noImage = DockerImage.fromRegistry('none');

/** What a function is given, and what is to be called with it once it has the code. */
type FunctionCode = { code: AssetCode; assertStaged: (owner: IConstruct) => void };

/** A bundle as an asset of the CDK. */
export type BundleAsset = { path: string; options: AssetOptions; assertStaged: (owner: IConstruct) => void };

/** @param bundle asked only where the stack is synthesized as a whole, and not for `cdk list` or `cdk destroy` */
export function bundleAsset(scope: Construct, bundle: () => Bundle): BundleAsset {
  const files = Stack.of(scope).bundlingRequired ? bundle() : undefined;
  const tryBundle = (directory: string): boolean => {
    if (files) {
      chmodSync(directory, directoryMode);
      writeBundle(directory, files);
    }
    return true;
  };
  const assertStaged = (owner: IConstruct) => {
    const staged = owner.node.findAll().filter((child) => child instanceof AssetStaging);
    if (files) {
      for (const { absoluteStagedPath } of staged) {
        assertWritten(absoluteStagedPath, files);
      }
    }
  };
  return {
    path: join(projectRoot, 'lambda'),
    options: {
      assetHash: files ? hashOf(files) : Names.uniqueId(scope),
      assetHashType: AssetHashType.CUSTOM,
      bundling: { image: noImage, local: { tryBundle }, outputType: BundlingOutput.NOT_ARCHIVED },
    },
    assertStaged,
  };
}

/** @param bundle as of {@link bundleAsset} */
export function functionCode(scope: Construct, bundle: () => Bundle): FunctionCode {
  const { path, options, assertStaged } = bundleAsset(scope, bundle);
  return { code: Code.fromAsset(path, options), assertStaged };
}
