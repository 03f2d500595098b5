// The code of a web function: Lambda reads it from a versioned bucket each time an execution environment starts.

import { ArnFormat, Aws, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { Bundle } from '../functions/bundling.ts';
import { bundleAsset } from '../functions/function-code.ts';
import { InlineResource } from './inline-resource.ts';
import { sourceConditions } from './source-conditions.ts';

export type WebFunctionCodeProps = {
  /** As of {@link bundleAsset}. */
  bundle: () => Bundle;
  functionName: string;
  /** Of the function that puts the code into the bucket. */
  logGroup: LogGroup;
};

/** The SDK is in the runtime. */
export const copyWork = `
const { CopyObjectCommand, S3Client } = require('@aws-sdk/client-s3');
async function work({ Bucket, Key, CopySource }) {
  const { VersionId } = await new S3Client().send(new CopyObjectCommand({ Bucket, Key, CopySource }));
  return { VersionId };
}
`;

/**
 * The bucket that assets go to cannot be used: its policy is the bootstrap stack's, and does not let Lambda read. What
 * was put here stays, since a revision's code is read for as long as it runs. Source: the Lambda developer guide,
 * "Deploying Web Function code from Amazon S3".
 */
export class WebFunctionCode extends Construct {
  readonly location: { bucket: string; key: string; versionId: string };

  constructor(scope: Construct, id: string, { bundle, functionName, logGroup }: WebFunctionCodeProps) {
    super(scope, id);
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Lambda could not use a key of AWS's, and there is nothing secret in code.
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    bucket.addToResourcePolicy(letLambdaRead(bucket, functionName));
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'Only Lambda and the deployment read and write it, and what it holds is code.',
    });

    const { path, options, assertStaged } = bundleAsset(this, bundle);
    const asset = new Asset(this, 'Asset', { path, ...options });
    assertStaged(asset);
    const { s3BucketName, s3ObjectKey: key } = asset;
    const { resource } = new InlineResource(this, 'Copy', {
      description: 'ecr-upload-proxy: copies the code of the registry endpoint to where Lambda may read it.',
      work: copyWork,
      properties: { Bucket: bucket.bucketName, Key: key, CopySource: `${s3BucketName}/${key}` },
      timeoutSeconds: 60,
      statements: [
        new PolicyStatement({
          actions: ['s3:GetObject'],
          resources: [`arn:${Aws.PARTITION}:s3:::${s3BucketName}/${key}`],
        }),
        new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(key)] }),
      ],
      logGroup,
    });
    this.location = { bucket: bucket.bucketName, key, versionId: resource.getAttString('VersionId') };
  }
}

/** Lambda asks for a revision, whose ARN is below the function's. */
function letLambdaRead(bucket: Bucket, functionName: string): PolicyStatement {
  return new PolicyStatement({
    principals: [new ServicePrincipal('lambda.amazonaws.com')],
    actions: ['s3:GetObject', 's3:GetObjectVersion'],
    resources: [bucket.arnForObjects('*')],
    conditions: sourceConditions(bucket, {
      service: 'lambda',
      resource: 'web-function',
      resourceName: `${functionName}/*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    }),
  });
}
