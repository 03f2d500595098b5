// Where a command finds the client's token: a file, a command, or the environment.

import { readFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { TokenSource } from '../client/proxy-client.ts';
import { tokenOfCommand, tokenOfFile } from '../client/token-source.ts';
import { CommandError } from './failure.ts';

export const tokenVariable = 'ECR_UPLOAD_PROXY_TOKEN';

/**
 * Reads the token from a file, or else from `ECR_UPLOAD_PROXY_TOKEN`.
 *
 * @throws CommandError saying where a token can be given
 */
export async function readToken(tokenFile: string | undefined): Promise<string> {
  const token = (
    tokenFile === undefined ? process.env[tokenVariable] : await readTokenFile(tokenFile)
  )?.trim();
  if (token) {
    return token;
  }
  throw new CommandError(`No token: set ${tokenVariable}, or name a file with --token-file.`, {
    exitStatus: 2,
  });
}

const readTokenFile = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`The token file ${file} cannot be read (${error.code}).`, { cause: error });
  });

export type TokenFlags = { tokenFile?: string; tokenCommand?: string };

/** The options of {@link TokenFlags}. */
export const tokenOptions = (): Option[] => [
  new Option(
    '--token-file <file>',
    'push with the token in this file; it is read again when the token expires',
  ),
  new Option(
    '--token-command <command>',
    'push with the token that this shell command prints; it is run again when the token expires',
  ),
];

/**
 * The token as a source that outlives it: a file is read again, and a command run again, when it expires.
 *
 * @returns undefined where no token is given
 * @throws CommandError when both a file and a command are
 */
export function tokenSource({ tokenFile, tokenCommand }: TokenFlags): TokenSource | undefined {
  if (tokenFile !== undefined && tokenCommand !== undefined) {
    throw new CommandError('Give --token-file or --token-command, not both.', { exitStatus: 2 });
  }
  if (tokenFile !== undefined) {
    return tokenOfFile(tokenFile);
  }
  if (tokenCommand !== undefined) {
    return tokenOfCommand(tokenCommand);
  }
  return process.env[tokenVariable]?.trim() || undefined;
}
