// The secret: the hashes of the clients' tokens, and the key that seals upload ids.

import { ArnFormat, Aws, Fn, type RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

export type ProxySecretProps = {
  encryptionKey: IKey | undefined;
  removalPolicy: RemovalPolicy;
  /** Begins the secret's name. */
  serviceName: string;
};

/**
 * Starts as `{"clients":{},"sealingKey":"…64 characters…"}`; the operator adds clients:
 * `{"clients":{"team-a-ci":[{"sha256":"…","createdAt":"…","expiresAt":"…"}]}}`. Its name, and what follows
 * `generateSecretString`, must stay as they are: CloudFormation answers a change with a new secret or a new value,
 * and every client would be locked out. By default it stays when the stack goes, because the tokens that clients
 * hold cannot be made again from anything else.
 */
export class ProxySecret extends Secret {
  /**
   * The ARN with a `?` for each of the six characters that Secrets Manager ends it with: known without the
   * secret. Source: the Secrets Manager user guide, "Identity-based policies", "Wildcards".
   */
  readonly arnPattern: string;

  constructor(scope: Construct, id: string, { encryptionKey, removalPolicy, serviceName }: ProxySecretProps) {
    // Another in each life of each stack, so that a secret that was kept is never in the way: decision 0006.
    const secretName = `${serviceName}-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`;
    super(scope, id, {
      secretName,
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
    this.arnPattern = Stack.of(this).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${secretName}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A rotation function could make a new token but not hand it to the client: docs/operations.md says how both are rotated.',
    });
  }
}
