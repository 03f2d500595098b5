// What moto cannot show of the stack, and what it was found to pass over.

import { readFileSync } from 'node:fs';

/**
 * What moto 5.2.5 does not know, so that nothing here can prove it. The templates' own tests (test/unit) and
 * cfn-lint say what can be said of these without an account.
 */
export const unknownToMoto = {
  'change sets': 'leave a stack without its outputs, and work once for each stack: --method direct',
  UpdateTerminationProtection: 'not implemented: the stacks are deployed without it',
  RetainExceptOnCreate: 'taken for Delete; moto-server.py takes it for Retain',
  'AWS::SecretsManager::Secret': 'added in moto-server.py, so that it can be looked at',
  'AWS::ApiGateway::Stage':
    'added in moto-server.py with its name and tracing; logs and throttling are dropped',
  'AWS::ApiGateway::RestApi':
    'made without its binary media types, endpoint type and resource policy; stays when the stack is destroyed',
  'AWS::Lambda::Function': 'made without its architecture and its tracing',
  'AWS::Logs::LogGroup': 'cannot be updated: a key that is added to a deployed stack ends the deployment',
  'AWS::S3::Bucket': 'made without its public access block, its lifecycle and its bucket key',
  'UpdateStack with previous values': 'fails for a parameter that has its default: --no-previous-parameters',
  'AWS::ApiGateway::GatewayResponse': 'skipped: the API answers in its own words',
  'AWS::CloudWatch::Alarm': 'skipped',
  'AWS::Logs::MetricFilter': 'skipped',
  'AWS::ApiGateway::Account': 'skipped: the account has no role for logs',
  'AWS::ApiGateway::DomainName': 'skipped: there is no domain',
  'AWS::ApiGateway::BasePathMapping': 'skipped with it',
  'AWS::WAFv2::WebACL': 'skipped: nobody is throttled by address or token',
  'AWS::WAFv2::WebACLAssociation': 'skipped: no web ACL stands before the API',
  'AWS::EC2::SecurityGroup': 'made without its outbound rules',
  'AWS::EC2::SecurityGroupEgress': 'skipped: what may leave the load balancer is in the template alone',
  'AWS::ElasticLoadBalancingV2::TrustStore':
    'not made, so that no listener can name it: deployed without client certificates',
  'AWS::ECS::TaskDefinition': 'made with its containers alone',
  'AWS::ECS::Service': 'made without its network and its target group',
  'AWS::ApplicationAutoScaling::ScalableTarget': 'skipped: as many tasks as there are at first',
  'AWS::ApplicationAutoScaling::ScalingPolicy': 'skipped with it',
  Rules: 'not evaluated: a deployment to another region is not refused',
  'AWS::Lambda::WebFunction': 'skipped: nothing serves the registry endpoint',
  'AWS::Lambda::WebFunctionRevision': 'skipped with it',
  'AWS::Lambda::WebFunctionEndpoint': 'skipped with it: the endpoint has no address',
  'AWS::CloudFormation::CustomResource': 'skipped: the endpoint is not probed after a change',
  'AWS::S3::BucketPolicy': 'skipped: the bucket is there without the policy that demands TLS',
} as const;

/** The types of the resources that moto passed over, as its own log names them. */
export function skippedTypes(logFile: string): Set<string> {
  const log = readFileSync(logFile, 'utf8');
  return new Set([...log.matchAll(/No Moto CloudFormation support for (\S+)/g)].map(([, type = '']) => type));
}
