// Tokens that expire: read again from their file or command before they do, or when the proxy refuses them.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sameSecret } from './same-secret.ts';
import { TokenProblem } from './token-problem.ts';

/** See {@link TokenSource}: asked for each request, and with the token that was refused after a 401. */
export type RenewingToken = (refused?: string) => Promise<string>;

/** A token that expires within this time is read again. */
const reserveMs = 60_000;
/** However soon a token expires, it is not read more often than this. */
const shortestReadingMs = 5_000;
const commandTimeoutMs = 60_000;

/** The first line of a file, such as the one that a Kubernetes volume keeps fresh. */
export const tokenOfFile = (file: string): RenewingToken =>
  renewing(async () => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new TokenProblem(`the token file ${file} cannot be read (${error.code})`);
    });
    return lineOf(text, `the token file ${file} is empty`);
  });

/** What a shell command prints. Its standard error goes to the terminal; what it printed is never quoted. */
export const tokenOfCommand = (command: string): RenewingToken =>
  renewing(async () => {
    const run = promisify(execFile)('/bin/sh', ['-c', command], { timeout: commandTimeoutMs });
    run.child.stderr?.pipe(process.stderr);
    const { stdout } = await run.catch((error: { code?: unknown }) => {
      throw new TokenProblem(`the token command failed (${error.code ?? 'it was ended'}): ${command}`);
    });
    return lineOf(stdout, `the token command printed nothing: ${command}`);
  });

function lineOf(text: string, problem: string): string {
  const line = text.trim().split(/\r?\n/)[0];
  if (!line) {
    throw new TokenProblem(problem);
  }
  return line;
}

/** Requests that ask at the same time share one reading. */
function renewing(read: () => Promise<string>): RenewingToken {
  let reading: Promise<string> | undefined;
  let readAtMs = 0;
  const isStale = async (refused: string | undefined): Promise<boolean> => {
    const token = await reading?.catch(() => undefined);
    if (token === undefined || (refused !== undefined && sameSecret(token, refused))) {
      return true;
    }
    return expiresAtMsOf(token) - reserveMs < Date.now() && Date.now() - readAtMs > shortestReadingMs;
  };
  return async (refused) => {
    const before = reading;
    const stale = await isStale(refused);
    if (stale && reading === before) {
      readAtMs = Date.now();
      reading = read();
    }
    return (await reading) ?? '';
  };
}

/** The `exp` of a JSON Web Token; a token of another kind does not say when it expires. */
function expiresAtMsOf(token: string): number {
  const [, claims = '', ...rest] = token.split('.');
  if (rest.length !== 1) {
    return Number.POSITIVE_INFINITY;
  }
  try {
    const { exp }: { exp?: unknown } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    return typeof exp === 'number' ? exp * 1_000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
