// `credentials`: the token in the form that an AWS profile's `credential_process` expects.

import { Command } from 'commander';
import { readToken, tokenVariable } from '../token.ts';

/** An access key that an SDK needs to sign with; API Gateway drops the signature, and nobody looks at it. */
const unused = 'ecr-upload-proxy';

/**
 * Version 1 of the format, without an expiration: the SDK keeps the credentials as long as it runs.
 * Source: AWS SDKs and Tools Reference Guide, "Process credential provider".
 */
export const credentials = new Command('credentials')
  .description('Print the token for an AWS profile: credential_process = npx ecr-upload-proxy credentials')
  .option('--token-file <file>', `read the token from a file rather than from ${tokenVariable}`)
  .action(async ({ tokenFile }: { tokenFile?: string }) => {
    const SessionToken = await readToken(tokenFile);
    console.log(JSON.stringify({ Version: 1, AccessKeyId: unused, SecretAccessKey: unused, SessionToken }));
  });
