// The API's resource policy: from which networks it can be called at all. Tokens decide about everything else.

import type { IVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';

type NetworkAccess = {
  /** The only VPC endpoints; undefined for an API on the internet. */
  vpcEndpoints: readonly IVpcEndpoint[] | undefined;
  /** The only addresses; undefined for any. */
  ipRanges: readonly string[] | undefined;
};

const invoke = (effect: Effect, conditions: Record<string, unknown> = {}) =>
  new PolicyStatement({
    effect,
    principals: [new AnyPrincipal()],
    actions: ['execute-api:Invoke'],
    // API Gateway puts its own API's ARN before it, so the policy need not know it.
    resources: ['execute-api:/*'],
    conditions,
  });

const denyUnless = (conditions: Record<string, unknown>) => invoke(Effect.DENY, conditions);

/**
 * Allows every caller and denies those from other networks; undefined where none is denied. Behind a VPC
 * endpoint the caller's address has another name. Source: the API Gateway developer guide, "AWS condition
 * keys that can be used in API Gateway resource policies".
 */
export function resourcePolicy({ vpcEndpoints, ipRanges }: NetworkAccess): PolicyDocument | undefined {
  const sourceIp = vpcEndpoints ? 'aws:VpcSourceIp' : 'aws:SourceIp';
  const sourceVpce = vpcEndpoints?.map(({ vpcEndpointId }) => vpcEndpointId);
  const denials = [
    ...(sourceVpce ? [denyUnless({ StringNotEquals: { 'aws:SourceVpce': sourceVpce } })] : []),
    ...(ipRanges ? [denyUnless({ NotIpAddress: { [sourceIp]: [...ipRanges] } })] : []),
  ];
  return denials.length > 0
    ? new PolicyDocument({ statements: [invoke(Effect.ALLOW), ...denials] })
    : undefined;
}
