// A running proxy for the tests of the AWS API: the local stack, with a token that has expired.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type LocalStack, startLocalStack } from './local-stack.ts';

export const expiredToken = 'eup_team-a-ci_expired';

const secret = z.looseObject({ clients: z.record(z.string(), z.array(z.looseObject({}))) });

async function addExpiredToken(file: string) {
  const { clients, ...rest } = secret.parse(JSON.parse(await readFile(file, 'utf8')));
  const sha256 = createHash('sha256').update(expiredToken).digest('hex');
  clients['team-a-ci']?.push({ sha256, expiresAt: '2020-01-01T00:00:00Z' });
  await writeFile(file, JSON.stringify({ ...rest, clients }));
}

export async function startAwsApi(): Promise<LocalStack> {
  const local = await startLocalStack();
  await addExpiredToken(join(local.dataDirectory, 'secret.json'));
  return local;
}
