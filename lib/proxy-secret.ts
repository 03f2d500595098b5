// The secret: the hashes of the clients' tokens, and the key that seals upload ids.

import { type RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

export type ProxySecretProps = { encryptionKey: IKey | undefined; removalPolicy: RemovalPolicy };

/**
 * Starts as `{"clients":{},"sealingKey":"…64 characters…"}`; the operator adds clients:
 * `{"clients":{"team-a-ci":[{"sha256":"…","createdAt":"…","expiresAt":"…"}]}}`. What follows
 * `generateSecretString` must stay as it is: CloudFormation answers a change with a new value, and every
 * client would be locked out. By default it stays when the stack goes, because the tokens that clients hold
 * cannot be made again from anything else.
 */
export class ProxySecret extends Secret {
  constructor(scope: Construct, id: string, { encryptionKey, removalPolicy }: ProxySecretProps) {
    super(scope, id, {
      description: 'ecr-upload-proxy: SHA-256 of the client tokens, and the key that seals upload ids.',
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ clients: {} }),
        generateStringKey: 'sealingKey',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A rotation function could make a new token but not hand it to the client: docs/operations.md says how both are rotated.',
    });
  }
}
