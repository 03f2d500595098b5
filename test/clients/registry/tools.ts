// The container tools under test: where they are, and what they say.

import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

/** In the place of an argument: the id of the image that the command before has pulled, and printed. */
export const pulledImage = 'THE IMAGE';

/** Where test/clients/install puts what it installs. */
export const installed = join(import.meta.dirname, '../../../.local/clients');
const built = ['bin', 'helm'].map((folder) => join(installed, folder));

/** Debian's releases of which test/clients/install unpacks programs, the second with `ALL_KINDS=1` alone. */
export const releases = ['trixie', 'sid'] as const;
export type Release = (typeof releases)[number];

/** Where a release's programs are, docker's plug-ins among them. */
export const unpackedIn = (release: Release): string[] =>
  ['usr/bin', 'usr/sbin', 'usr/libexec/docker/cli-plugins'].map((folder) => join(installed, release, folder));

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a program is that test/clients/install has installed; a path is its own. */
export const findTool = (name: string): string | undefined =>
  isAbsolute(name)
    ? name
    : [...built, ...(process.env.PATH ?? '').split(delimiter)]
        .map((directory) => join(directory, name))
        .find(isExecutable);

/** Where a program is, of a Debian release or of this machine, and otherwise why there is none. */
export function findProgram(name: string, release?: Release): { path: string } | { reason: string } {
  if (!release) {
    const path = findTool(name);
    return path ? { path } : { reason: `${name} is not installed` };
  }
  const path = unpackedIn(release)
    .map((directory) => join(directory, name))
    .find(isExecutable);
  const command = release === 'sid' ? 'ALL_KINDS=1 test/clients/install' : 'test/clients/install';
  return path
    ? { path }
    : { reason: `Debian ${release}'s ${name} is not unpacked: ${command} does, on Debian` };
}

/**
 * Whether a tool's tests are left out: on a machine that has not got it. CI has, or fails.
 */
export function lacks(name: string): boolean {
  if (findTool(name) || process.env.CI) {
    return false;
  }
  console.info(`${name} is not installed: its tests are skipped; test/clients/install installs it`);
  return true;
}

/** Runs a tool to its end. @throws Error with what it printed on standard error */
export async function runTool(
  name: string,
  args: readonly string[],
  { home, environment: added = {} }: { home: string; environment?: Readonly<Record<string, string>> },
): Promise<string> {
  const tool = findTool(name);
  if (!tool) {
    throw new Error(`${name} is not installed: run test/clients/install`);
  }
  const environment = {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: home,
    DOCKER_CONFIG: join(home, '.docker'),
    ...added,
  };
  const { stdout } = await promisify(execFile)(tool, args, {
    env: environment,
    cwd: home,
    maxBuffer: 16 * 1_048_576,
  }).catch((error: { stderr?: string; message: string }) => {
    throw new Error(`${name} ${args.join(' ')}: ${error.stderr || error.message}`);
  });
  return stdout;
}

/** Runs commands one after the other. Where one says `pulledImage`, it gets what the one before has printed. */
export async function runCommands(tool: string, commands: readonly string[][], home: string): Promise<void> {
  let printed = '';
  for (const command of commands) {
    const args = command.map((argument) => (argument === pulledImage ? printed : argument));
    printed = (await runTool(tool, args, { home })).trim();
  }
}
