// The local Secrets Manager: one secret, in a file that can be edited while it runs.

import { createHash } from 'node:crypto';
import { linkSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localTokens, startSecrets } from '../../local/services/secrets.ts';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:Secret-local0';
const file = join(mkdtempSync(join(tmpdir(), 'local-secrets-')), 'secret.json');
const start = () => startSecrets({ port: 0, file, secretArn });

let server: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  server = await start();
});
afterAll(() => server.close());

const client = () =>
  new SecretsManagerClient({
    endpoint: server.url,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
const read = async (SecretId = secretArn) =>
  JSON.parse((await client().send(new GetSecretValueCommand({ SecretId }))).SecretString ?? '');

describe('the local Secrets Manager', () => {
  it('starts with the hashes of the local tokens and a sealing key of its own', async () => {
    const secret = await read();
    for (const [name, token] of Object.entries(localTokens)) {
      const sha256 = createHash('sha256').update(token).digest('hex');
      expect(secret.clients[name]).toMatchObject([{ sha256 }]);
    }
    expect(secret.sealingKey).toMatch(/^[0-9a-f]{64}$/);
    expect(readFileSync(file, 'utf8')).not.toContain('eup_');
  });

  it('keeps the secret through a restart, and gives what is in the file now', async () => {
    const before = await read();
    await server.close();
    server = await start();
    expect(await read()).toEqual(before);
    writeFileSync(file, JSON.stringify({ ...before, clients: {} }));
    expect((await read()).clients).toEqual({});
  });

  it('puts a new version in the place of the file, so that no kill leaves half of one', async () => {
    const before = readFileSync(file, 'utf8');
    linkSync(file, `${file}.before`);
    const current = await client().send(new GetSecretValueCommand({ SecretId: secretArn }));
    const put = await client().send(
      new PutSecretValueCommand({ SecretId: secretArn, SecretString: '{}', VersionStages: ['AWSPENDING'] }),
    );
    await client().send(
      new UpdateSecretVersionStageCommand({
        SecretId: secretArn,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: put.VersionId,
        RemoveFromVersionId: current.VersionId,
      }),
    );
    expect(await read()).toEqual({});
    // Written over, it would be what the link leads to.
    expect(readFileSync(`${file}.before`, 'utf8')).toBe(before);
  });

  it('knows no other secret and no other operation', async () => {
    await expect(read('another')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(client().send(new ListSecretsCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
    });
  });
});
