// The proxy's secret as a process has it: read from Secrets Manager, kept for a while, and read again for an unknown token.

import { maxFaults, secretMaxAgeMs, secretRereadMs } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { readSecretText, type Secret, type SecretReading } from '../../api/secret.ts';
import type { ReportFault } from '../telemetry/configuration-faults.ts';

/** Gives the secret as it was at most `secretMaxAgeMs` ago; `afresh`, for a token that is not in it, as it is now. */
export type SecretReader = (options?: { readonly afresh: boolean }) => Promise<Secret>;

const unavailable = (cause: unknown) =>
  new ProxyError('ServiceUnavailableException', 'The tokens cannot be checked now. Try again.', { cause });

/** What is wrong is said without quoting the secret, as the messages of JSON.parse and zod may do. */
function parse(text: string, report: ReportFault): SecretReading {
  try {
    return readSecretText(text);
  } catch {
    const fault = new Error('the secret is not the JSON that api/secret.ts describes');
    report('secret', 'Nobody is let in: the secret cannot be used.', fault);
    throw unavailable(fault);
  }
}

type Reading = { readonly begunAt: number; readonly secret: Promise<Secret> };

const isYounger = (reading: Reading | undefined, ageMs: number): reading is Reading =>
  reading !== undefined && Date.now() - reading.begunAt < ageMs;

/**
 * A token that was just made is known at once, for the secret is read anew for it. Strangers' tokens have it read once
 * in `secretRereadMs` at most, and are looked up in the latest reading else. Only a revocation waits until the secret
 * is old.
 *
 * @param fetchText asks Secrets Manager, each time
 * @throws ServiceUnavailableException when the secret cannot be read: without it nobody is let in.
 */
export function secretReader(fetchText: () => Promise<unknown>, report: ReportFault): SecretReader {
  let kept: Reading | undefined;
  let latest: Reading | undefined;
  let afresh: Reading | undefined;
  let underWay: Reading | undefined;

  const read = async (): Promise<Secret> => {
    const text = await fetchText().catch((error: unknown) => {
      throw unavailable(error);
    });
    const { secret, faults } = parse(String(text), report);
    if (faults.length > 0) {
      const named = new Error(`not in the form of api/secret.ts: ${faults.slice(0, maxFaults).join('; ')}`);
      report('secret', 'What is odd in the secret is left out, and the rest of it used.', named);
    }
    return secret;
  };

  const begin = (): Reading => {
    const reading = { begunAt: Date.now(), secret: read() };
    latest = reading;
    underWay = reading;
    const settle = (result: Reading | undefined) => {
      kept = result ?? kept;
      underWay = underWay === reading ? undefined : underWay;
    };
    reading.secret.then(
      () => settle(reading),
      () => settle(undefined),
    );
    return reading;
  };

  const current = () => (isYounger(kept, secretMaxAgeMs) ? kept : (underWay ?? begin()));
  const anew = () => {
    if (latest && isYounger(afresh, secretRereadMs)) {
      return latest;
    }
    afresh = begin();
    return afresh;
  };

  return (options) => (options?.afresh ? anew() : current()).secret;
}
