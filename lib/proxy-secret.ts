// The secret: the hashes of the clients' tokens, and the key that seals upload ids.

import { RemovalPolicy } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/**
 * Starts as `{"clients":{},"sealingKey":"…64 characters…"}`; the operator adds clients:
 * `{"clients":{"team-a-ci":[{"sha256":"…","createdAt":"…","expiresAt":"…"}]}}`. What follows
 * `generateSecretString` must stay as it is: CloudFormation answers a change with a new value, and every
 * client would be locked out. It stays when the stack goes, because the tokens that clients hold cannot be
 * made again from anything else.
 */
export class ProxySecret extends Secret {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      description: 'ecr-upload-proxy: SHA-256 of the client tokens, and the key that seals upload ids.',
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ clients: {} }),
        generateStringKey: 'sealingKey',
        passwordLength: 64,
        excludePunctuation: true,
      },
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
