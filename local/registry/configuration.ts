// The registry endpoint as it is configured for this machine: on Fargate, since a container's process runs anywhere.

import { localAccount } from '../account.ts';

const { accountId, region } = localAccount;

/** A container tool in a virtual machine reaches the endpoint, and not what it would be redirected to. */
const blobs = 'stream';

/** Read by CloudFormation alone, which nobody asks. */
const unasked = {
  domain: {
    name: 'registry.example.com',
    certificateArn: `arn:aws:acm:${region}:${accountId}:certificate/00000000-0000-0000-0000-000000000000`,
  },
  network: {
    vpcId: 'vpc-00000000',
    loadBalancerSubnetIds: ['subnet-00000000', 'subnet-00000001'],
    taskSubnetIds: ['subnet-00000002'],
  },
  allowedIpRanges: ['127.0.0.0/8'],
  allowWithoutCertificate: true,
};

/** What both hosts have. */
const ofEitherHost = ['registry', 'blobs', 'maxUploadsPerClient'];

/**
 * @param configured the operator's, if there is one: what it says of the server holds here as well
 * @param image of this machine, in place of the operator's
 */
export function localEndpoint(configured: Readonly<Record<string, unknown>> | undefined, image: string) {
  if (configured?.host === 'fargate') {
    return { ...configured, image };
  }
  const kept = Object.entries(configured ?? {}).filter(([name]) => ofEitherHost.includes(name));
  return { blobs, ...Object.fromEntries(kept), ...unasked, host: 'fargate', image };
}
