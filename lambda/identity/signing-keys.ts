// The cached keys of one issuer: kept while they are fresh, and fetched again for a key that is not among them.

import type { Jwk } from 'aws-jwt-verify/jwk';
import type { Issuer } from '../../api/issuers.ts';
import { keySetFreshMs, keySetMaxAgeMs, keySetRetryMs } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { ReportFault } from '../telemetry/configuration-faults.ts';
import { fetchKeySet, KeySetError } from './key-set.ts';
import { findKeys, type KeyReference } from './signing-key.ts';

/** The cached set, and the number of the fetch that it came from. */
type Kept = { readonly keys: readonly Jwk[]; readonly fetch: number; readonly begunAt: number };

type Failed = { readonly cause: unknown; readonly until: number };

const secondsUntil = (time: number) => Math.max(1, Math.ceil((time - Date.now()) / 1_000));

const isLasting = (failure: unknown): failure is KeySetError =>
  failure instanceof KeySetError && failure.isLasting;

/** A client must not retry what only the operator can fix: it would do so for ever. */
const unavailable = ({ cause, until }: Failed) =>
  isLasting(cause)
    ? new ProxyError(
        'InternalFailure',
        'The keys of the token’s issuer are not where this proxy looks for them. Trying again does not help: tell ' +
          'its operator, who finds the reason in the proxy’s log.',
        { cause },
      )
    : new ProxyError(
        'ServiceUnavailableException',
        'The keys of the token’s issuer cannot be fetched now. Try again.',
        { cause, retryAfterSeconds: secondsUntil(until) },
      );

const notYet = (until: number) =>
  new ProxyError(
    'ServiceUnavailableException',
    'The keys of the token’s issuer, as they were fetched before, have none of its key id (kid). They will be ' +
      'fetched again: try again then.',
    { retryAfterSeconds: secondsUntil(until) },
  );

const unknownKey = () =>
  new ProxyError(
    'UnrecognizedClientException',
    'The token’s signature cannot be checked: its issuer has no key of its key id (kid).',
  );

/** Returns the keys that a token may be signed with: at least one, and for most sets exactly one. */
export type SigningKeys = (reference: KeyReference) => Promise<readonly Jwk[]>;

/**
 * Keys are fetched again once they are no longer fresh, so that a key that the issuer has withdrawn is no longer used;
 * while that fails, the cached ones are used, up to a limit. A key that is not among them may be new: the set is
 * fetched for it, but after a fetch without the key not again for a while, however many tokens ask for it (anybody can
 * make one up).
 *
 * @throws UnrecognizedClientException when the set, fetched for this very token, does not have the key;
 *   ServiceUnavailableException, with the time until the next fetch, when the set may have it but was not fetched;
 *   InternalFailure when there will be no set until the operator has fixed the configuration.
 */
export function signingKeys(issuer: Issuer, report: ReportFault): SigningKeys {
  let kept: Kept | undefined;
  let fetching: Promise<Kept> | undefined;
  let fetches = 0;
  let failed: Failed | undefined;
  let searchableAt = 0;

  const fetchKeys = async (): Promise<Kept> => {
    fetches += 1;
    const own = { fetch: fetches, begunAt: Date.now() };
    try {
      kept = { ...own, keys: await fetchKeySet(issuer) };
      failed = undefined;
      return kept;
    } catch (error) {
      if (isLasting(error)) {
        report('issuer', 'The keys of an issuer are not where they are looked for.', error);
      }
      failed = { cause: error, until: Date.now() + keySetRetryMs };
      throw unavailable(failed);
    } finally {
      fetching = undefined;
    }
  };

  /** One fetch at a time, and none for a while after one that failed: an issuer that is down costs one timeout. */
  const renew = async (): Promise<Kept> => {
    if (failed && Date.now() < failed.until) {
      throw unavailable(failed);
    }
    fetching ??= fetchKeys();
    return fetching;
  };

  const atHand = async (): Promise<Kept> => {
    if (!kept) {
      return renew();
    }
    const { begunAt } = kept;
    if (Date.now() - begunAt <= keySetFreshMs) {
      return kept;
    }
    const old = kept;
    return renew().catch((error: unknown) => {
      if (Date.now() - begunAt > keySetMaxAgeMs) {
        throw error;
      }
      return old;
    });
  };

  return async (reference) => {
    const fetchesBefore = fetches;
    let set = await atHand();
    let keys = findKeys(set.keys, reference);
    if (keys.length === 0 && set.fetch <= fetchesBefore) {
      if (Date.now() < searchableAt) {
        throw notYet(searchableAt);
      }
      set = await renew();
      keys = findKeys(set.keys, reference);
    }
    if (keys.length > 0) {
      return keys;
    }
    searchableAt = Date.now() + keySetRetryMs;
    // A fetch that was under way when the token came may have read the keys from before its key was published.
    throw set.fetch > fetchesBefore ? unknownKey() : notYet(searchableAt);
  };
}
