// The option of every command that works on the proxy's secret: which one, in Secrets Manager or of the local stack.

import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Command, Option } from 'commander';
import { CommandError } from './failure.ts';
import { fileStore, type SecretStore, secretsManagerStore } from './tokens/secret-store.ts';

const secretVariable = 'ECR_UPLOAD_PROXY_SECRET_ID';
const localSecret = '.local/secret.json';

export type Where = { secretId?: string; local?: string | true };

export function storeOf({ secretId, local }: Where): SecretStore {
  if (local !== undefined) {
    return fileStore(local === true ? localSecret : local);
  }
  if (secretId !== undefined) {
    return secretsManagerStore(new SecretsManagerClient(), secretId);
  }
  throw new CommandError(
    `Where is the secret? Give --secret-id (the stack’s output SecretArn), set ${secretVariable}, or use --local.`,
    { exitStatus: 2 },
  );
}

/** A command with that option. */
export const secretCommand = (name: string, description: string) =>
  new Command(name)
    .description(description)
    .addOption(new Option('--secret-id <id>', 'the secret in AWS Secrets Manager').env(secretVariable))
    .option('--local [file]', `the secret of the local stack (${localSecret})`);
