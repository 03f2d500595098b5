// Where the load balancer and the tasks stand: in a VPC of the stack's own, or in a given one.

import { Annotations, Fn } from 'aws-cdk-lib';
import {
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Subnet,
  type SubnetSelection,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Issuer } from '../../api/issuers.ts';
import type { FargateConfiguration } from './configuration.ts';
import { type EndpointUsers, OwnVpc, type OwnVpcProps } from './own-vpc.ts';

export type NetworkProps = OwnVpcProps &
  Pick<FargateConfiguration, 'network'> & { issuers: readonly Issuer[] };

const httpsPort = 443;

/** AWS listens at one port; an issuer, and who has its key set, wherever their URLs say. */
function portsAsked(issuers: readonly Issuer[]): number[] {
  const urls = issuers.flatMap(({ issuer, jwksUri }) => [issuer, jwksUri ?? issuer]);
  return [...new Set([httpsPort, ...urls.map((url) => Number(new URL(url).port || httpsPort))])];
}

export class Network extends Construct {
  /** Known by its id alone: the subnets are said wherever they are asked for. */
  readonly vpc: IVpc;
  readonly loadBalancerSubnets: SubnetSelection;
  readonly taskSubnets: SubnetSelection;
  readonly assignPublicIp: boolean;
  readonly taskSecurityGroup: ISecurityGroup;
  readonly #own: OwnVpc | undefined;

  constructor(scope: Construct, id: string, { network, issuers, ...props }: NetworkProps) {
    super(scope, id);
    const subnets = (name: string, ids: readonly string[]): ISubnet[] =>
      ids.map((subnetId, index) => {
        const subnet = Subnet.fromSubnetId(this, `${name}Subnet${index + 1}`, subnetId);
        // Its routes are the operator's, and nothing here asks for them.
        Annotations.of(subnet).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
        return subnet;
      });
    const placed = network
      ? {
          vpcId: network.vpcId,
          loadBalancerSubnets: subnets('LoadBalancer', network.loadBalancerSubnetIds),
          taskSubnets: subnets('Task', network.taskSubnetIds),
        }
      : new OwnVpc(this, 'Vpc', props);
    this.vpc = Vpc.fromVpcAttributes(this, 'Reference', {
      vpcId: placed.vpcId,
      // It wants one, and nobody asks which.
      availabilityZones: [Fn.select(0, Fn.getAzs())],
    });
    this.loadBalancerSubnets = { subnets: [...placed.loadBalancerSubnets] };
    this.taskSubnets = { subnets: [...placed.taskSubnets] };
    this.assignPublicIp = network?.assignPublicIp ?? false;
    this.#own = placed instanceof OwnVpc ? placed : undefined;
    this.taskSecurityGroup = this.#taskSecurityGroup(portsAsked(issuers));
  }

  /** The ways to AWS, in the VPC of the stack's own: in a given one they are the operator's. */
  addEndpointsFor(users: Omit<EndpointUsers, 'tasks'>): void {
    this.#own?.addEndpointsFor({ ...users, tasks: this.taskSecurityGroup }, this.vpc);
  }

  #taskSecurityGroup(ports: readonly number[]): SecurityGroup {
    const securityGroup = new SecurityGroup(this, 'TaskSecurityGroup', {
      vpc: this.vpc,
      description: 'ecr-upload-proxy: the tasks of the registry endpoint.',
      allowAllOutbound: false,
    });
    for (const port of ports) {
      securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(port), 'AWS, and issuers of OIDC tokens');
    }
    return securityGroup;
  }
}
