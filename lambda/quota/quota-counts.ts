// Counts requests against the quotas: each byte and each image once, whatever is lost or sent again. Decision 0009.

import { setTimeout as sleep } from 'node:timers/promises';
import type { CancellationReason, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Quota, Unit, Usage } from '../../api/quotas.ts';
import type { DecisionRequest } from '../../policy/entities.ts';
import { quotasOf } from './applied-quotas.ts';
import { extend } from './counted-range.ts';
import { type Addition, countedOf, keyOf, type Move, quotaTable, usedOf } from './quota-items.ts';

export type CountOptions = {
  abortSignal?: AbortSignal;
  /**
   * Called for a part that does not touch what is counted of its upload. Throws if the part is ahead of what the upload
   * has. If it is not, the upload began before quotas were counted, and is counted from this part on.
   */
  refuseAhead?: () => Promise<void>;
  /**
   * Is told, in words, of each quota of which at least 90 % is used once the request is counted. It costs a read of
   * each count, for a transaction tells none.
   */
  tellNearlyUsed?: ((text: string) => void) | undefined;
};

/**
 * Counts what a request uses, or refuses it.
 *
 * @throws QuotaExceededException with the quota's name, what is used, and when it resets;
 *   ServiceUnavailableException when too many requests are counted against the same quota at the same time
 */
export type Count = (
  who: Pick<DecisionRequest, 'principal' | 'resource'>,
  usage: Usage | readonly Usage[],
  options?: CountOptions,
) => Promise<void>;

/** How often a count is tried while other requests write to the same items, and the random pause in between. */
const maxAttempts = 12;
const pauseMs = (attempt: number) => Math.random() * Math.min(20 * 2 ** attempt, 640);

const dayOf = (now: Date) => now.toISOString().slice(0, 10);
const endOf = (day: string) => new Date(`${day}T24:00:00Z`).toISOString();

/** What a request adds to one quota's count. */
type Share = Addition & { quota: string; unit: Unit };

/** What is still to be counted of a usage. */
type Charge = Move & { isApart: boolean; shares: readonly Share[] };

const exceeded = ({ quota, limit, unit, added }: Share, used: number, day: string) =>
  new ProxyError(
    'QuotaExceededException',
    `The quota ${quota} allows ${limit} ${unit} a day, ${used} are used, and this would be ${added} more. It resets at ${endOf(day)}.`,
    { members: { quota, used, limit, resetsAt: endOf(day) } },
  );

const nearly = 0.9;

const nearlyUsed = ({ quota, limit, unit }: Share, used: number, day: string) =>
  `${used} of the ${limit} ${unit} that the quota ${quota} allows a day are used. It resets at ${endOf(day)}.`;

const busy = () =>
  new ProxyError(
    'ServiceUnavailableException',
    'Too many requests are counted against the same quota at this moment. Send the same request again.',
  );

/**
 * Why a transaction was cancelled: the share that exceeds its quota, and what is used of that quota. Undefined where a
 * mark has changed too, as another request is counting the same.
 */
function fullOf(
  reasons: readonly CancellationReason[],
  charges: readonly Charge[],
  shares: readonly Share[],
): { share: Share; used: number } | undefined {
  if (reasons.slice(0, charges.length).some(({ Code = 'None' }) => Code !== 'None')) {
    return undefined;
  }
  const ofShares = reasons.slice(charges.length);
  const full = ofShares.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
  const share = shares[full];
  return share && { share, used: usedOf(ofShares[full]?.Item) };
}

/** The marks as they were read. */
const readFrom = (charges: readonly Charge[]) =>
  JSON.stringify(charges.map(({ mark, counted }) => [mark, counted]));

/**
 * A request is counted before it is forwarded, in one transaction with the mark that records what of its upload or
 * image is counted. A request that is sent again finds the mark and is not counted again.
 *
 * @param pause waits for a number of milliseconds; tests replace it
 */
export const quotaCounter =
  (
    client: DynamoDBClient,
    tableName: string,
    quotas: readonly Quota[],
    pause: (ms: number) => Promise<unknown> = sleep,
  ): Count =>
  async (who, usage, { abortSignal, refuseAhead, tellNearlyUsed } = {}) => {
    const table = quotaTable(client, tableName, abortSignal ? { abortSignal } : {});
    const day = dayOf(new Date());

    const chargesOf = async ({ unit, item, daily = false, ...part }: Usage): Promise<Charge[]> => {
      const applied = quotasOf(quotas, who, unit);
      if (applied.length === 0) {
        return [];
      }
      const { principal, resource } = who;
      const whose = [unit, `${principal.type}::${principal.id}`, resource.id, item];
      const mark = keyOf('mark', ...whose, ...(daily ? [day] : []));
      const counted = countedOf(await table.read(mark));
      const { range, added, isApart } = extend(counted, part);
      if (added === 0) {
        return [];
      }
      const shares = applied.map(({ name: quota, counter, limit }) => ({
        count: keyOf('count', quota, unit, day, counter),
        quota,
        unit,
        added,
        limit,
      }));
      return [{ mark, counted, range, daily, isApart: isApart && part.first > 0, shares }];
    };

    /** The request is counted: that this cannot be read is no reason to refuse it. */
    const tell = async (shares: readonly Share[]): Promise<void> => {
      const counts = await Promise.allSettled(shares.map(({ count }) => table.read(count)));
      for (const [at, share] of shares.entries()) {
        const count = counts[at];
        const used = count?.status === 'fulfilled' ? usedOf(count.value) : 0;
        if (used >= nearly * share.limit) {
          tellNearlyUsed?.(nearlyUsed(share, used, day));
        }
      }
    };

    let isAsked = false;
    let refusal: { error: ProxyError; readFrom: string } | undefined;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (attempt > 0) {
        await pause(pauseMs(attempt));
      }
      const charges = (await Promise.all([usage].flat().map(chargesOf))).flat();
      if (charges.length === 0) {
        return;
      }
      // Refused only if no other request has counted the same in the meantime.
      if (refusal?.readFrom === readFrom(charges)) {
        throw refusal.error;
      }
      if (!isAsked && charges.some(({ isApart }) => isApart)) {
        await refuseAhead?.();
        isAsked = true;
      }

      const shares = charges.flatMap((charge) => charge.shares);
      const tooLarge = shares.find(({ added, limit }) => added > limit);
      if (tooLarge) {
        throw exceeded(tooLarge, usedOf(await table.read(tooLarge.count)), day);
      }

      const reasons = await table.commit(charges, shares);
      if (!reasons) {
        return tellNearlyUsed && tell(shares);
      }
      const full = fullOf(reasons, charges, shares);
      refusal = full && { error: exceeded(full.share, full.used, day), readFrom: readFrom(charges) };
    }
    throw refusal?.error ?? busy();
  };
