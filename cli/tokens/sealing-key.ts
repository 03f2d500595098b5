// The secret with its next sealing key: the one before goes on sealing until every function knows the new one.

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { secretMaxAgeMs } from '../../api/limits.ts';
import { opensWith, sealingKeys } from '../../api/sealing-keys.ts';
import { CommandError } from '../failure.ts';
import { parseSecret, writtenSecret } from './secret.ts';

const schema = z.looseObject(sealingKeys.shape);

/**
 * @param overlapMs how long the key before opens what it has sealed
 * @throws CommandError while the key before that still does: only two are ever kept
 */
export function rotateSealingKey(text: string, overlapMs: number, now: Date): string {
  const secret = parseSecret(schema, text);
  if (opensWith(secret, now).length > 1) {
    throw new CommandError(
      `The key before is in use until ${secret.previousSealingKey?.opensUntil}: rotate again after that.`,
    );
  }
  const after = (ms: number) => new Date(now.getTime() + ms).toISOString();
  const previousSealingKey = {
    key: secret.sealingKey,
    sealsUntil: after(2 * secretMaxAgeMs),
    opensUntil: after(Math.max(overlapMs, 2 * secretMaxAgeMs)),
  };
  return writtenSecret({ ...secret, sealingKey: randomBytes(32).toString('hex'), previousSealingKey });
}
