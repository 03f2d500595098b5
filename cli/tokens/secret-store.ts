// Where the secret is kept: read, and written only if nobody else has written since.

import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { CommandError } from '../failure.ts';

/** Changes the secret's text; `change` may be asked again, with what somebody else has written meanwhile. */
export type SecretStore = {
  read(): Promise<string>;
  update(change: (text: string) => string): Promise<void>;
};

const maxAttempts = 5;

const overtaken = (failure: unknown) =>
  failure instanceof Error &&
  ['InvalidParameterException', 'ResourceNotFoundException'].includes(failure.name);

const unavailable = (secretId: string) => (cause: unknown) => {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown';
  throw new CommandError(`The secret ${secretId} cannot be reached (${reason}).`, { cause });
};

/** The stage of a version that is written but not yet in force. */
const pending = 'ECR_UPLOAD_PROXY_PENDING';
const current = 'AWSCURRENT';

/**
 * PutSecretValue knows no condition, but moving AWSCURRENT does: it fails unless the label still is where it
 * was read. So a new version is written aside first, and then put in force.
 * Source: AWS Secrets Manager API reference, UpdateSecretVersionStage, RemoveFromVersionId.
 */
export function secretsManagerStore(client: SecretsManagerClient, secretId: string): SecretStore {
  const get = async () => {
    const secret = await client
      .send(new GetSecretValueCommand({ SecretId: secretId }))
      .catch(unavailable(secretId));
    return { text: secret.SecretString ?? '', versionId: secret.VersionId };
  };

  const attempt = async (change: (text: string) => string): Promise<boolean> => {
    const { text, versionId } = await get();
    const written = await client
      .send(
        new PutSecretValueCommand({
          SecretId: secretId,
          ClientRequestToken: randomUUID(),
          SecretString: sized(change(text)),
          VersionStages: [pending],
        }),
      )
      .catch(unavailable(secretId));
    return client
      .send(
        new UpdateSecretVersionStageCommand({
          SecretId: secretId,
          VersionStage: current,
          MoveToVersionId: written.VersionId,
          RemoveFromVersionId: versionId,
        }),
      )
      .then(
        () => true,
        (failure) => (overtaken(failure) ? false : unavailable(secretId)(failure)),
      );
  };

  return {
    read: async () => (await get()).text,
    update: async (change) => {
      for (let n = 0; n < maxAttempts; n++) {
        if (await attempt(change)) {
          return;
        }
      }
      throw new CommandError('Somebody else is writing to the secret at the same time. Try again.');
    },
  };
}

/** Of a secret's value. Source: AWS Secrets Manager quotas. */
const maxSecretBytes = 65_536;

/** @throws CommandError where Secrets Manager would not take it */
function sized(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxSecretBytes) {
    return text;
  }
  throw new CommandError(
    `The secret would have ${bytes} bytes, and holds ${maxSecretBytes}. Revoke clients that are gone, or use OIDC tokens.`,
  );
}

const lockPollMs = 100;
const lockAttempts = 50;

/** The local stack's secret, under a lock file that a second command waits for. */
export function fileStore(file: string): SecretStore {
  const read = () =>
    readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new CommandError(`${file} cannot be read (${error.code}): run npm start once to make it.`, {
        cause: error,
      });
    });
  const lockFile = `${file}.lock`;

  const lock = async () => {
    for (let n = 0; n < lockAttempts; n++) {
      const handle = await open(lockFile, 'wx').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') {
          throw error;
        }
      });
      if (handle) {
        return handle.close();
      }
      await sleep(lockPollMs);
    }
    throw new CommandError(`${lockFile} is in the way: another command is at it, or was ended. Remove it.`);
  };

  return {
    read,
    update: async (change) => {
      // Says what to do where there is no file, and no folder for the lock either.
      await read();
      await lock();
      try {
        const temporary = `${file}.new`;
        await writeFile(temporary, sized(change(await read())), { mode: 0o600 });
        await rename(temporary, file);
      } finally {
        await rm(lockFile, { force: true });
      }
    },
  };
}
