// The proxy's secret as a process has it: read from Secrets Manager, kept for a while, and read again for an unknown token.

import { setTimeout as sleep } from 'node:timers/promises';
import { maxFaults, secretMaxAgeMs, secretRereadMs, secretTimeoutMs } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { readSecretText, type Secret, type SecretReading } from '../../api/secret.ts';
import type { ReportFault } from '../telemetry/configuration-faults.ts';

/** The secret as it was at most `secretMaxAgeMs` ago; with `afresh`, for a token that is not in it, as it is now. */
export type SecretReader = (options?: { readonly afresh: boolean }) => Promise<Secret>;

const unavailable = (cause: unknown) =>
  new ProxyError('ServiceUnavailableException', 'The tokens cannot be checked now. Try again.', { cause });

/** The message does not quote the secret, as those of JSON.parse and zod may do. */
function parse(text: string, report: ReportFault): SecretReading {
  try {
    return readSecretText(text);
  } catch {
    const fault = new Error('the secret is not the JSON that api/secret.ts describes');
    report('secret', 'Nobody is let in: the secret cannot be used.', fault);
    throw unavailable(fault);
  }
}

/**
 * No request's time ends a read, for it is of all requests: an answer that begins and never ends would keep this process
 * from answering any. The SDK's own limit is of an answer's beginning.
 */
async function inTime<Value>(read: Promise<Value>): Promise<Value> {
  const clock = new AbortController();
  const late = sleep(secretTimeoutMs, undefined, { signal: clock.signal }).then(() => {
    throw new Error(`Secrets Manager has not answered whole within ${secretTimeoutMs} ms`);
  });
  return Promise.race([read, late]).finally(() => clock.abort());
}

type Reading = { readonly begunAt: number; readonly secret: Promise<Secret> };

const isYounger = (reading: Reading | undefined, ageMs: number): reading is Reading =>
  reading !== undefined && Date.now() - reading.begunAt < ageMs;

/**
 * A token that was just created works at once, since the secret is read again for it. Unknown tokens cause at most one
 * read in `secretRereadMs`, and are otherwise looked up in the secret as last read. Only a revocation takes effect as
 * late as the cached secret expires.
 *
 * @param fetchText asks Secrets Manager, each time
 * @throws ServiceUnavailableException when the secret cannot be read: without it no request can be authenticated.
 */
export function secretReader(fetchText: () => Promise<unknown>, report: ReportFault): SecretReader {
  let kept: Reading | undefined;
  let latest: Reading | undefined;
  let afresh: Reading | undefined;
  let underWay: Reading | undefined;

  const read = async (): Promise<Secret> => {
    const text = await inTime(fetchText()).catch((error: unknown) => {
      throw unavailable(error);
    });
    const { secret, faults } = parse(String(text), report);
    if (faults.length > 0) {
      const named = new Error(`not in the form of api/secret.ts: ${faults.slice(0, maxFaults).join('; ')}`);
      report(
        'secret',
        'Entries of the secret that are not in its form are ignored; the others are used.',
        named,
      );
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
