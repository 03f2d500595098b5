// The stack: composes the constructs and names what the operator needs to know of them.

import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { operationNames } from '../lambda/operations.ts';
import { type Configuration, configuredRegistries } from './configuration.ts';
import { OperationFunction } from './operation-function.ts';
import { ProxySecret } from './proxy-secret.ts';
import { StagingBucket } from './staging-bucket.ts';
import { UploadApi } from './upload-api.ts';

/** Knows neither account nor region: it synthesizes without credentials and deploys anywhere. */
export class EcrUploadProxyStack extends Stack {
  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id, { description: 'ecr-upload-proxy: a front for Amazon ECR uploads.' });

    const stagingBucket = new StagingBucket(this, 'StagingBucket');
    const secret = new ProxySecret(this, 'Secret');

    const functions = operationNames.map(
      (operation) =>
        new OperationFunction(this, operation, { operation, configuration, stagingBucket, secret }),
    );
    const api = new UploadApi(this, 'Api', { registries: configuredRegistries(configuration), functions });

    new CfnOutput(this, 'ProxyUrl', { value: api.url, description: 'Where clients send their requests.' });
    new CfnOutput(this, 'SecretArn', { value: secret.secretArn, description: 'Where client tokens go.' });
  }
}
