// Synthesizes the stack into a cloud assembly, unless the one that is there was made of the same files.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import cdk from '../../cdk.json' with { type: 'json' };
import { contextKey } from '../../lib/configuration/configuration.ts';
import { findConfiguration } from '../../lib/configuration/configuration-file.ts';
import { localEndpoint } from '../registry/configuration.ts';
import { bundleImage, writeImage } from '../registry/image.ts';

const projectRoot = join(import.meta.dirname, '../..');
const sources = ['cdk.json', 'package-lock.json', '{api,policy,bin,lib,lambda,registry}/**/*'];
/** Hashed as well, so that an assembly that `cdk synth` has written since is seen to be another one. */
const products = ['manifest.json', '*.template.json', '*.assets.json', 'image.*/*.mjs'];
const stampFile = 'made-of.sha256';

/** @param directory may hold in its own name what is a pattern elsewhere; links in it are followed */
function hashFiles(directory: string, patterns: readonly string[]): string {
  const hash = createHash('sha256');
  const paths = globSync([...patterns], { cwd: directory }).map((path) => join(directory, path));
  for (const path of paths.sort()) {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
      continue;
    }
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

function isStamped(cdkOut: string, stamp: () => string): boolean {
  try {
    return readFileSync(join(cdkOut, stampFile), 'utf8') === stamp();
  } catch {
    return false;
  }
}

/** The CDK's own lock on its output: another start, or a test, is at it. */
const isBusy = (failure: unknown) =>
  failure instanceof Error && /is currently (synthing|reading)/.test(failure.message);
const busyPollMs = 500;

/** @throws Error with what the CDK said */
async function runCdkSynth(cdkOut: string, configuration: string) {
  const cli = join(projectRoot, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  const context = `${contextKey}=${configuration}`;
  const flags = ['--quiet', '--output', cdkOut, '--context', context];
  await promisify(execFile)(process.execPath, [cli, 'synth', ...flags], {
    cwd: projectRoot,
  }).catch(({ stderr }: { stderr: string }) => {
    throw new Error(`cdk synth failed:\n${stderr}`);
  });
}

export type Assembly = {
  /** Its directory, below the project's. */
  cdkOut: string;
  /** Of registries that cdk.json does not name, so that they can be tried without deploying them. */
  repositories: Readonly<Record<string, readonly string[]>>;
};

const members = z.looseObject({
  repositories: z.record(z.string(), z.unknown()),
  policyDirectory: z.string().default('policies'),
  registryEndpoint: z.looseObject({}).optional(),
});

async function configurationWith(repositories: Assembly['repositories']) {
  const found = await findConfiguration(cdk.context[contextKey]);
  const configured = members.parse(found.members);
  return { ...configured, repositories: { ...repositories, ...configured.repositories } };
}

/**
 * Runs `cdk synth`, the same that a deployment runs, with a registry endpoint of this machine's; waits while another
 * process does.
 *
 * @returns the directory of the cloud assembly
 * @throws Error with what the CDK said
 */
export async function synthesize(assembly: Assembly): Promise<string> {
  const cdkOut = join(projectRoot, assembly.cdkOut);
  const configuration = await configurationWith(assembly.repositories);
  const policyDirectory = resolve(projectRoot, configuration.policyDirectory);
  const stamp = () =>
    [
      JSON.stringify(configuration),
      hashFiles(projectRoot, sources),
      hashFiles(policyDirectory, ['*', '.*']),
      hashFiles(cdkOut, products),
    ].join(' ');
  while (!isStamped(cdkOut, stamp)) {
    try {
      const image = bundleImage(policyDirectory);
      const registryEndpoint = localEndpoint(configuration.registryEndpoint, image.reference);
      await runCdkSynth(cdkOut, JSON.stringify({ ...configuration, registryEndpoint }));
      writeImage(cdkOut, image);
      writeFileSync(join(cdkOut, stampFile), stamp());
    } catch (error) {
      if (!isBusy(error)) {
        throw error;
      }
      await sleep(busyPollMs);
    }
  }
  return cdkOut;
}
