// The REST API: the routes of both doors.

import { EndpointType, LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Construct } from 'constructs';
import { type OperationName, operations } from '../lambda/operations.ts';
import type { Registry } from '../lambda/registries.ts';
import type { ProxyFunction } from './proxy-function.ts';

export type UploadApiProps = {
  registries: readonly Registry[];
  operationFunctions: ReadonlyMap<OperationName, ProxyFunction>;
  awsDoorFunction: ProxyFunction;
};

/** A REST API rather than an HTTP API: decision 0002. Clients are authenticated by the functions. */
export class UploadApi extends RestApi {
  constructor(
    scope: Construct,
    id: string,
    { registries, operationFunctions, awsDoorFunction }: UploadApiProps,
  ) {
    super(scope, id, {
      restApiName: 'ecr-upload-proxy',
      description: 'Uploads of image layers and images to Amazon ECR.',
      endpointTypes: [EndpointType.REGIONAL],
      // The only type whose bodies reach the functions in base64; JSON arrives as the text that it is.
      binaryMediaTypes: ['application/octet-stream'],
      // The account's own role for API Gateway's logs is none of this stack's business.
      cloudWatchRole: false,
      deployOptions: { tracingEnabled: true },
    });
    // RestApi adds an output of its own, whose name changes with the construct's path; ours is ProxyUrl.
    this.node.tryRemoveChild('Endpoint');

    // Door 1: a route for each operation of each registry.
    for (const [operation, { lambda }] of operationFunctions) {
      const { method, path } = operations[operation];
      const integration = new LambdaIntegration(lambda, { allowTestInvoke: false });
      for (const registry of registries) {
        this.root.resourceForPath(`/${registry}${path}`).addMethod(method, integration);
      }
    }
    // Door 2: ECR's own wire names the operation in a header, so one function serves all of them.
    this.root.addMethod('POST', new LambdaIntegration(awsDoorFunction.lambda, { allowTestInvoke: false }));
  }
}
