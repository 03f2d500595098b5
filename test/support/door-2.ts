// A running proxy for the tests of door 2: the local stack, with a token that has expired.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startLocal } from '../../local/local.ts';

export const expiredToken = 'eup_team-a-ci_expired';

const secret = z.looseObject({ clients: z.record(z.string(), z.array(z.looseObject({}))) });

const addExpiredToken = async (file: string) => {
  const { clients, ...rest } = secret.parse(JSON.parse(await readFile(file, 'utf8')));
  const sha256 = createHash('sha256').update(expiredToken).digest('hex');
  clients['team-a-ci']?.push({ sha256, expiresAt: '2020-01-01T00:00:00Z' });
  await writeFile(file, JSON.stringify({ ...rest, clients }));
};

export type Fault = { operation?: string; fault: string; times?: number; skip?: number };

export const startDoor2 = async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'door-2-'));
  const local = await startLocal({ port: 0, ecrPort: 0, s3Port: 0, dataDirectory });
  await addExpiredToken(join(dataDirectory, 'secret.json'));
  const control = (method: string, fault?: Fault) =>
    fetch(`${local.ecrUrl}/_faults`, { method, body: fault ? JSON.stringify(fault) : null });
  return {
    ...local,
    arm: async (fault: Fault) => {
      const { status } = await control('POST', fault);
      if (status !== 201) throw new Error(`the stand-in does not know the fault ${fault.fault}`);
    },
    disarm: () => control('DELETE'),
    close: async () => {
      await local.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
};

export type Door2 = Awaited<ReturnType<typeof startDoor2>>;
