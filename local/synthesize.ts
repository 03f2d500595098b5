// Synthesizes the stack into a cloud assembly, unless the one that is there was made of the same files.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';

const projectRoot = join(import.meta.dirname, '..');
const sources = ['cdk.json', 'package-lock.json', '{bin,lib,lambda,policies}/**/*'];

/** In cdk.json: the configuration or the path of its file, which may name another directory of policies. */
const contextKey = 'ecr-upload-proxy';
const pathOf = z.string().catch('');
const cdkJson = z.object({ context: z.object({ [contextKey]: z.unknown() }) });
const configuration = z.object({ policyDirectory: z.string() });

/** The files that the configuration adds to the sources; a module is hashed whole, what it says is not read. */
const configuredSources = (): string[] => {
  const value = cdkJson.parse(JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8'))).context[
    contextKey
  ];
  const file = pathOf.parse(value);
  const members: unknown = file.endsWith('.json')
    ? JSON.parse(readFileSync(join(projectRoot, file), 'utf8'))
    : value;
  const directory = configuration.safeParse(members).data?.policyDirectory;
  return [...(file ? [file] : []), ...(directory ? [`${directory}/**/*`] : [])];
};

/** Hashed as well, so that an assembly that `cdk synth` has written since is seen to be another one. */
const products = ['manifest.json', '*.template.json', '*.assets.json'];
const stampFile = 'made-of.sha256';

const hashFiles = (directory: string, patterns: readonly string[]): string => {
  const hash = createHash('sha256');
  const files = globSync([...patterns], { cwd: directory, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) {
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
};

const stamp = (cdkOut: string) =>
  `${hashFiles(projectRoot, [...sources, ...configuredSources()])} ${hashFiles(cdkOut, products)}`;

const isCurrent = (cdkOut: string): boolean => {
  try {
    return readFileSync(join(cdkOut, stampFile), 'utf8') === stamp(cdkOut);
  } catch {
    return false;
  }
};

/** The CDK's own lock on its output: another start, or a test, is at it. */
const isBusy = (failure: unknown) =>
  failure instanceof Error && /is currently (synthing|reading)/.test(failure.message);
const busyPollMs = 500;

/** @throws Error with what the CDK said */
const runCdkSynth = async (cdkOut: string) => {
  const cli = join(projectRoot, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  await promisify(execFile)(process.execPath, [cli, 'synth', '--quiet', '--output', cdkOut], {
    cwd: projectRoot,
    // The app's own `node` is found where the CLI's was.
    env: {
      ...process.env,
      PATH: [join(projectRoot, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
    },
  }).catch(({ stderr }: { stderr: string }) => {
    throw new Error(`cdk synth failed:\n${stderr}`);
  });
};

/**
 * Runs `cdk synth`, the same that a deployment runs; waits while another process does.
 * @returns the directory of the cloud assembly
 * @throws Error with what the CDK said
 */
export const synthesize = async (cdkOut = join(projectRoot, 'cdk.out')): Promise<string> => {
  while (!isCurrent(cdkOut)) {
    try {
      await runCdkSynth(cdkOut);
      writeFileSync(join(cdkOut, stampFile), stamp(cdkOut));
    } catch (failure) {
      if (!isBusy(failure)) throw failure;
      await sleep(busyPollMs);
    }
  }
  return cdkOut;
};
