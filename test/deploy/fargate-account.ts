// What an operator has before a registry endpoint on Fargate is deployed: a certificate, a VPC with subnets, an image.

import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { serverBundle } from '../../lib/functions/bundling.ts';
import { hashOf } from '../../lib/functions/function-code.ts';
import { checkedPolicies, policySource } from '../../lib/policies.ts';
import { configurations } from '../support/stacks.ts';
import type { Moto } from './moto.ts';

const subnetNames = ['LoadBalancer1', 'LoadBalancer2', 'Task1', 'Task2'] as const;
const stackName = 'Network';

const network = {
  Resources: {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.9.0.0/16' } },
    ...Object.fromEntries(
      subnetNames.map((name, index) => {
        const zone = index % 2 === 0 ? 'a' : 'b';
        const Properties = {
          VpcId: { Ref: 'Vpc' },
          CidrBlock: `10.9.${index}.0/24`,
          AvailabilityZone: `eu-central-1${zone}`,
        };
        return [name, { Type: 'AWS::EC2::Subnet', Properties }];
      }),
    ),
  },
  Outputs: Object.fromEntries(['Vpc', ...subnetNames].map((name) => [name, { Value: { Ref: name } }])),
};

const requested = z.object({ CertificateArn: z.string() });

/** The image's tag is the hash of the code and the policies: any other is refused before the deployment. */
const contentsOf = (policyDirectory: string) => hashOf(serverBundle(checkedPolicies(policyDirectory).files));

/** The two configurations of the host, with what is there in the account in the place of the examples. */
export async function fargateConfigurations({ clientConfig, askInJson }: Moto) {
  const certificate = await askInJson('acm', 'CertificateManager.RequestCertificate', {
    DomainName: 'push.example.com',
  });
  const { CertificateArn: certificateArn } = requested.parse(certificate);
  const cloudFormation = new CloudFormation(clientConfig);
  await cloudFormation.createStack({ StackName: stackName, TemplateBody: JSON.stringify(network) });
  const { Stacks } = await cloudFormation.describeStacks({ StackName: stackName });
  const ids = new Map(Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));

  const { fargate, 'fargate-own-vpc': ownVpc } = configurations;
  const inAccount = (endpoint: typeof ownVpc.registryEndpoint, policyDirectory: string) => ({
    ...endpoint,
    image: endpoint.image.replace(/:a{64}@/, `:${contentsOf(policyDirectory)}@`),
    domain: { name: endpoint.domain.name, certificateArn },
  });
  return {
    fargate: {
      ...fargate,
      registryEndpoint: {
        ...fargate.registryEndpoint,
        ...inAccount(fargate.registryEndpoint, fargate.policyDirectory),
        network: {
          vpcId: ids.get('Vpc'),
          loadBalancerSubnetIds: [ids.get('LoadBalancer1'), ids.get('LoadBalancer2')],
          taskSubnetIds: [ids.get('Task1'), ids.get('Task2')],
        },
      },
    },
    'fargate-own-vpc': { ...ownVpc, registryEndpoint: inAccount(ownVpc.registryEndpoint, policySource) },
  };
}
