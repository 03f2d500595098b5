// Which key seals an upload id and which keys open one, while the operator changes from one to the next.

import { z } from 'zod';

const key = z.string().min(32);

/** The members of the secret: the key, and the one before it while uploads sealed with that are under way. */
export const sealingKeys = z.object({
  sealingKey: key,
  previousSealingKey: z
    .object({
      key,
      /** Until then it goes on sealing: every function has read the new key by that time. */
      sealsUntil: z.iso.datetime(),
      /** Until then it opens what it sealed. */
      opensUntil: z.iso.datetime(),
    })
    .optional(),
});

export type SealingKeys = z.output<typeof sealingKeys>;

const isBefore = (now: Date, end: string) => now.getTime() < Date.parse(end);

export const sealsWith = ({ sealingKey, previousSealingKey: previous }: SealingKeys, now: Date): string =>
  previous && isBefore(now, previous.sealsUntil) ? previous.key : sealingKey;

export const opensWith = (
  { sealingKey, previousSealingKey: previous }: SealingKeys,
  now: Date,
): readonly string[] =>
  previous && isBefore(now, previous.opensUntil) ? [sealingKey, previous.key] : [sealingKey];
