// The tokens of a client as the secret holds them, and what create, rotate and revoke make of them. Pure.

import { CommandError } from '../failure.ts';

/** As the functions read it; `id` is the operator's handle, and what else the secret holds is left alone. */
type StoredToken = {
  readonly sha256: string;
  readonly id?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly expiresAt?: string | undefined;
};

export type ClientTokens = readonly StoredToken[];

/** Two, so that a client can be given its next token before the old one ends. */
const maxLiveTokens = 2;

/** How long an expired token is answered as expired, rather than as unknown. */
const expiredTokenKeptMs = 30 * 86_400_000;

export const isLive = ({ expiresAt }: StoredToken, now: Date): boolean =>
  expiresAt === undefined || Date.parse(expiresAt) > now.getTime();

const isKept = ({ expiresAt }: StoredToken, now: Date) =>
  expiresAt === undefined || Date.parse(expiresAt) > now.getTime() - expiredTokenKeptMs;

const kept = (tokens: ClientTokens, now: Date) => tokens.filter((token) => isKept(token, now));
const live = (tokens: ClientTokens, now: Date) => tokens.filter((token) => isLive(token, now));

/** @throws CommandError when the client has a live token: it is to be rotated */
export function create(tokens: ClientTokens, fresh: StoredToken, now: Date): ClientTokens {
  if (live(tokens, now).length > 0) {
    throw new CommandError('The client has a live token: rotate it, or revoke it first.');
  }
  return [...kept(tokens, now), fresh];
}

function endingBy(token: StoredToken, end: Date, now: Date): StoredToken {
  const endsBefore = token.expiresAt !== undefined && Date.parse(token.expiresAt) <= end.getTime();
  return !isLive(token, now) || endsBefore ? token : { ...token, expiresAt: end.toISOString() };
}

/**
 * Adds the next token; the one there is ends with the overlap.
 * @throws CommandError when there is none to rotate, or two already
 */
export function rotate(tokens: ClientTokens, fresh: StoredToken, overlapMs: number, now: Date): ClientTokens {
  const living = live(tokens, now);
  if (living.length === 0) {
    throw new CommandError('The client has no live token: create one.');
  }
  if (living.length >= maxLiveTokens) {
    throw new CommandError(
      `The client has ${living.length} live tokens (${living.map(nameOf).join(', ')}): revoke one, or wait until it ends.`,
    );
  }
  const end = new Date(now.getTime() + overlapMs);
  return [...kept(tokens, now).map((token) => endingBy(token, end, now)), fresh];
}

export const nameOf = ({ id, createdAt }: StoredToken): string => id ?? createdAt ?? 'without an id';

/**
 * Takes out one token by its id, or the only live one.
 * @throws CommandError when it is not clear which
 */
export function revoke(tokens: ClientTokens, tokenId: string | undefined, now: Date): ClientTokens {
  const candidates = tokenId === undefined ? live(tokens, now) : tokens.filter(({ id }) => id === tokenId);
  const [only, ...others] = candidates;
  if (!only) {
    throw new CommandError(tokenId ? `No token ${tokenId}.` : 'The client has no live token.');
  }
  if (others.length > 0) {
    throw new CommandError(
      `Which of ${candidates.map(nameOf).join(', ')}? Name it with --token ID, or revoke --all.`,
    );
  }
  return tokens.filter((token) => token !== only);
}
