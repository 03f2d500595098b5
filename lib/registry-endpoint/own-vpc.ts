// A VPC of the stack's own: the tasks reach AWS through endpoints in it, and the internet only where they have to.

import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

export type OwnVpcProps = {
  cidr: string;
  isInternal: boolean;
  /** Whether the tasks ask somebody who has no VPC endpoint: an issuer of OIDC tokens, or ECR Public. */
  needsInternet: boolean;
  hasQuotas: boolean;
  /** Of the flow log. */
  logging: LogGroupProps;
};

/** Two availability zones: an Application Load Balancer takes no fewer. */
const zones = 2;

/** What a task asks for by HTTPS without leaving the VPC: ECR's API, its image, the secret, its log. */
const interfaceEndpoints = {
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrImages: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
} as const;

export class OwnVpc extends Vpc {
  readonly loadBalancerSubnets: readonly ISubnet[];
  readonly taskSubnets: readonly ISubnet[];
  readonly #hasQuotas: boolean;

  /** The NAT gateway, if any, carries issuers' key sets, or parts for ECR Public: private ECR has its endpoint. */
  constructor(scope: Construct, id: string, props: OwnVpcProps) {
    const { isInternal, needsInternet } = props;
    super(scope, id, {
      ipAddresses: IpAddresses.cidr(props.cidr),
      maxAzs: zones,
      natGateways: needsInternet ? 1 : 0,
      subnetConfiguration: [
        ...(isInternal && !needsInternet
          ? []
          : [{ name: 'Public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false }]),
        {
          name: 'Tasks',
          subnetType: needsInternet ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED,
        },
      ],
    });
    this.#hasQuotas = props.hasQuotas;
    this.taskSubnets = needsInternet ? this.privateSubnets : this.isolatedSubnets;
    this.loadBalancerSubnets = isInternal ? this.taskSubnets : this.publicSubnets;
    this.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(new LogGroup(this, 'FlowLogGroup', props.logging)),
      trafficType: FlowLogTrafficType.ALL,
    });
  }

  /** @param reference this VPC as a security group takes it */
  addEndpointsFor(tasks: ISecurityGroup, reference: IVpc): void {
    const securityGroup = new SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: reference,
      description: 'ecr-upload-proxy: what the registry endpoint asks of AWS.',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(tasks, Port.tcp(443), 'the tasks');
    for (const [name, service] of Object.entries(interfaceEndpoints)) {
      this.addInterfaceEndpoint(name, {
        service,
        subnets: { subnets: [...this.taskSubnets] },
        securityGroups: [securityGroup],
        open: false,
      });
    }
    // ECR keeps layers of images in S3: what the tasks run, and what they stream to who reads.
    this.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    if (this.#hasQuotas) {
      this.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    }
  }
}
