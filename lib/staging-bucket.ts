// The bucket in which the first half of a joined part waits for the second.

import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Without a key of the operator's, S3 encrypts with its own. */
const encryption = (encryptionKey: IKey | undefined) =>
  encryptionKey
    ? { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
    : { encryption: BucketEncryption.S3_MANAGED };

/**
 * Holds one object per upload, each of them for two days at most (S3 deletes after
 * the midnight that follows the day): nothing in it needs versions, a backup or a life after the stack. A stack
 * that is deleted while an object waits has to be deleted again when the bucket is empty: to empty it would take
 * a function with more rights than any other here.
 */
export class StagingBucket extends Bucket {
  constructor(scope: Construct, id: string, { encryptionKey }: { encryptionKey: IKey | undefined }) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...encryption(encryptionKey),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: false,
      lifecycleRules: [
        {
          id: 'AbandonedUploads',
          expiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only the functions reach it, and each of them logs who sent which part; the bytes of a part are in it for minutes.',
    });
  }
}
