// The stack: composes the constructs and names what the operator needs to know of them.

import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type OperationName, operationNames } from '../lambda/operations.ts';
import { type Configuration, configuredRegistries } from './configuration.ts';
import { ProxyFunction } from './proxy-function.ts';
import { ProxySecret } from './proxy-secret.ts';
import { QuotaTable } from './quota-table.ts';
import { StagingBucket } from './staging-bucket.ts';
import { UploadApi } from './upload-api.ts';

/** InitiateLayerUpload lives in lambda/handlers/initiate-layer-upload.ts. */
const handlerOf = (operation: OperationName): string =>
  operation.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase();

/** Knows neither account nor region: it synthesizes without credentials and deploys anywhere. */
export class EcrUploadProxyStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    { hasQuotas }: { hasQuotas: boolean },
  ) {
    super(scope, id, { description: 'ecr-upload-proxy: a front for Amazon ECR uploads.' });

    const stagingBucket = new StagingBucket(this, 'StagingBucket');
    const secret = new ProxySecret(this, 'Secret');

    const quotaTable = hasQuotas ? new QuotaTable(this, 'QuotaTable') : undefined;

    const shared = { configuration, stagingBucket, secret, quotaTable };
    const operationFunctions = new Map(
      operationNames.map((operation) => [
        operation,
        new ProxyFunction(this, operation, {
          ...shared,
          handler: handlerOf(operation),
          operations: [operation],
        }),
      ]),
    );
    const awsDoorFunction = new ProxyFunction(this, 'AwsDoor', {
      ...shared,
      handler: 'aws-door',
      operations: operationNames,
    });
    const api = new UploadApi(this, 'Api', {
      registries: configuredRegistries(configuration),
      operationFunctions,
      awsDoorFunction,
    });

    new CfnOutput(this, 'ProxyUrl', { value: api.url, description: 'Where clients send their requests.' });
    new CfnOutput(this, 'SecretArn', { value: secret.secretArn, description: 'Where client tokens go.' });
  }
}
