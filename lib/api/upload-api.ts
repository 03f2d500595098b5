// The REST API: the routes of both APIs, what it answers by itself, and how its stage is limited and logged.

import { CfnResource, Validations } from 'aws-cdk-lib';
import {
  CfnRestApi,
  EndpointType,
  IpAddressType,
  LambdaIntegration,
  LogGroupLogDestination,
  type Method,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { IVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { isOffered, type OperationName, operations } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { acknowledgeDependencies } from '../acknowledgements.ts';
import type { ProxyFunction } from '../functions/proxy-function.ts';
import { type AccessLog, accessLogFormat } from './access-log.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { resourcePolicy } from './resource-policy.ts';

/** The first part of every path, but on a domain of one's own. */
export const stageName = 'prod';

/** Requests of all clients together; beyond them API Gateway answers 429. */
export type Throttling = { requestsPerSecond: number; burst: number };

export type UploadApiProps = {
  registries: readonly Registry[];
  operationFunctions: ReadonlyMap<OperationName, ProxyFunction>;
  awsApiFunction: ProxyFunction;
  /** Where session tokens are given. */
  sessionTokenFunction: ProxyFunction | undefined;
  accessLog: AccessLog;
  vpcEndpoints: readonly IVpcEndpoint[] | undefined;
  ipRanges: readonly string[] | undefined;
  throttling: Throttling;
  webAclArn: string | undefined;
  setAccountLogRole: boolean;
  /** The API's name, which is also a dimension of its metrics. */
  serviceName: string;
  /** Leaves a custom domain as the only way in. */
  disableExecuteApiEndpoint: boolean;
};

const endpoint = (vpcEndpoints: readonly IVpcEndpoint[] | undefined) =>
  vpcEndpoints
    ? { types: [EndpointType.PRIVATE], vpcEndpoints: [...vpcEndpoints] }
    : { types: [EndpointType.REGIONAL] };

/**
 * A private API has both. With a list of IPv4 ranges alone, a client that has IPv6 too would be told of an
 * address at which it is refused. Source: the API Gateway developer guide, "IP address types for REST APIs".
 */
const ipAddressTypeOf = ({ vpcEndpoints, ipRanges }: UploadApiProps): IpAddressType =>
  vpcEndpoints || !ipRanges || ipRanges.some((range) => range.includes(':'))
    ? IpAddressType.DUAL_STACK
    : IpAddressType.IPV4;

/**
 * TLS 1.2 and later with forward secrecy: by itself a regional API takes TLS 1.0, a private one does not. Behind a
 * domain with mutual TLS, which can have no such policy, the API's own address is closed. Source: the API Gateway
 * developer guide, "Security policies for REST APIs".
 */
const modernTls = 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09';

/** A REST API rather than an HTTP API: decision 0002. Clients are authenticated by the functions. */
export class UploadApi extends RestApi {
  readonly ipAddressType: IpAddressType;

  constructor(scope: Construct, id: string, props: UploadApiProps) {
    const { accessLog, throttling, webAclArn } = props;
    const policy = resourcePolicy(props);
    const ipAddressType = ipAddressTypeOf(props);
    super(scope, id, {
      restApiName: props.serviceName,
      description: 'Uploads of image layers and images to Amazon ECR.',
      endpointConfiguration: { ...endpoint(props.vpcEndpoints), ipAddressType },
      disableExecuteApiEndpoint: props.disableExecuteApiEndpoint,
      ...(policy && { policy }),
      // The only type whose bodies reach the functions in base64; JSON arrives as the text that it is.
      binaryMediaTypes: ['application/octet-stream'],
      // API Gateway writes access logs with one role for the whole account and region: decision 0005.
      cloudWatchRole: props.setAccountLogRole,
      deployOptions: {
        stageName,
        tracingEnabled: true,
        throttlingRateLimit: throttling.requestsPerSecond,
        throttlingBurstLimit: throttling.burst,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        accessLogFormat,
      },
    });
    this.ipAddressType = ipAddressType;
    const definition = this.node.defaultChild;
    if (!(definition instanceof CfnRestApi)) {
      throw new Error('the API has no definition');
    }
    if (!props.vpcEndpoints && !props.disableExecuteApiEndpoint) {
      definition.securityPolicy = modernTls;
      definition.endpointAccessMode = 'STRICT';
    }
    // RestApi adds an output of its own, whose name changes with the construct's path; ours is ProxyUrl.
    this.node.tryRemoveChild('Endpoint');
    this.#deployAfter(this.#addRoutes(props));
    addGatewayResponses(this);

    Validations.of(this).acknowledge(...acknowledged);
    if (props.setAccountLogRole) {
      Validations.of(this).acknowledge(accountLogRole);
    }
    if (webAclArn === undefined) {
      Validations.of(this).acknowledge(withoutWebAcl);
    } else {
      new CfnWebACLAssociation(this, 'WebAcl', { resourceArn: this.deploymentStage.stageArn, webAclArn });
    }
  }

  /**
   * The CDK writes the methods into the deployment's DependsOn. moto, as it is published, follows only references in a
   * change set: without these in the metadata, `cdk deploy` fails there for every configuration (tried with moto 5.2.5,
   * test/deploy/as-published.deploy.ts).
   */
  #deployAfter(methods: readonly Method[]): void {
    const deployment = this.latestDeployment?.node.defaultChild;
    if (!CfnResource.isCfnResource(deployment)) {
      throw new Error('the API has no deployment');
    }
    const methodIds = methods.map(({ methodId }) => methodId);
    deployment.addMetadata('Methods', methodIds);
    acknowledgeDependencies(deployment);
  }

  #addSessionTokens({ lambda }: ProxyFunction): Method {
    const { path, method } = sessionTokenExchange;
    const integration = new LambdaIntegration(lambda, { allowTestInvoke: false });
    return this.root.resourceForPath(path).addMethod(method, integration);
  }

  #addRoutes({ registries, operationFunctions, ...more }: UploadApiProps): Method[] {
    const { awsApiFunction, sessionTokenFunction } = more;
    // The resource API: a route for each operation of each registry that has it.
    const resourceMethods = [...operationFunctions].flatMap(([operation, { lambda }]) => {
      const { method, path } = operations[operation];
      const integration = new LambdaIntegration(lambda, { allowTestInvoke: false });
      return registries
        .filter((registry) => isOffered({ operation, registry }))
        .map((registry) => this.root.resourceForPath(`/${registry}${path}`).addMethod(method, integration));
    });
    // The AWS API: ECR's own protocol names the operation in a header, so one function serves all of them.
    const awsIntegration = new LambdaIntegration(awsApiFunction.lambda, { allowTestInvoke: false });
    return [
      ...resourceMethods,
      this.root.addMethod('POST', awsIntegration),
      ...(sessionTokenFunction ? [this.#addSessionTokens(sessionTokenFunction)] : []),
    ];
  }
}

/** What cdk-nag's AwsSolutions pack asks of an API and this one does on purpose not have. */
const acknowledged = [
  {
    id: 'AwsSolutions-APIG2',
    reason: 'The functions validate every request (lambda/steps/validate.ts) and name each wrong member.',
  },
  {
    id: 'AwsSolutions-APIG4',
    reason:
      'The functions authenticate: an authorizer can read no token from X-Amz-Security-Token and no body.',
  },
  {
    id: 'AwsSolutions-COG4',
    reason:
      'Clients are programs with tokens of their own or of an OIDC issuer, not users of a Cognito pool.',
  },
  {
    id: 'AwsSolutions-APIG6',
    reason:
      'Execution logs would hold headers, and with them tokens. Access logs and the functions’ own logs say the rest.',
  },
];

const withoutWebAcl = {
  id: 'AwsSolutions-APIG3',
  reason: 'A web ACL is the operator’s to give (webAclArn): its rules depend on who the clients are.',
};

const accountLogRole = {
  id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
  reason: 'The account’s role serves the logs of every API in it, which is what AWS’s own policy is for.',
};
