// Where a command finds the client's token: a file, or the environment.

import { readFile } from 'node:fs/promises';
import { CommandError } from './failure.ts';

export const tokenVariable = 'ECR_UPLOAD_PROXY_TOKEN';

/**
 * Reads the token from a file, or else from `ECR_UPLOAD_PROXY_TOKEN`.
 *
 * @throws CommandError saying where a token can be given
 */
export const readToken = async (tokenFile: string | undefined): Promise<string> => {
  const token = (
    tokenFile === undefined ? process.env[tokenVariable] : await readTokenFile(tokenFile)
  )?.trim();
  if (token) return token;
  throw new CommandError(`No token: set ${tokenVariable}, or name a file with --token-file.`, {
    exitStatus: 2,
  });
};

const readTokenFile = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`The token file ${file} cannot be read (${cause.code}).`, { cause });
  });
