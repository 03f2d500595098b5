// A VPC of the stack's own: the tasks reach AWS through endpoints in it, and the internet only where they have to.

import { ArnFormat, Aws } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
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
import { AnyPrincipal, type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { operationNames, operations } from '../../api/operations.ts';
import { sourceConditions } from './source-conditions.ts';

export type OwnVpcProps = {
  cidr: string;
  isInternal: boolean;
  /** Whether the tasks ask somebody who has no VPC endpoint: an issuer of OIDC tokens, or ECR Public. */
  needsInternet: boolean;
  /** Of the flow log. */
  logging: LogGroupProps;
};

/** Who asks AWS for what through the VPC endpoints: nobody else's credentials are of any use there. */
export type EndpointUsers = {
  tasks: ISecurityGroup;
  /** Of the server. */
  taskRole: IRole;
  /** Of Amazon ECS, which pulls the image and writes the log from within the VPC. */
  executionRole: IRole;
  /** Where quotas are declared. */
  quotaTable: Table | undefined;
};

/** Two availability zones: an Application Load Balancer takes no fewer. */
const zones = 2;

type RoleName = 'taskRole' | 'executionRole';

/**
 * What a task asks for by HTTPS without leaving the VPC: ECR's API, its image, the secret, its log. Both endpoints of
 * ECR have the same policy, as the Amazon ECR user guide advises.
 */
const interfaceEndpoints: readonly (readonly [
  string,
  InterfaceVpcEndpointAwsService,
  readonly RoleName[],
])[] = [
  ['EcrApi', InterfaceVpcEndpointAwsService.ECR, ['taskRole', 'executionRole']],
  ['EcrImages', InterfaceVpcEndpointAwsService.ECR_DOCKER, ['taskRole', 'executionRole']],
  ['SecretsManager', InterfaceVpcEndpointAwsService.SECRETS_MANAGER, ['taskRole']],
  ['Logs', InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS, ['executionRole']],
];

/** What is asked of the table of quotas. */
const quotaActions = new Set(operationNames.flatMap((name) => operations[name].quotaActions));

/** Where ECR keeps the layers of images. Source: the Amazon ECR user guide, "Minimum Amazon S3 bucket permissions". */
const layersArn = `arn:${Aws.PARTITION}:s3:::prod-${Aws.REGION}-starport-layer-bucket/*`;

export class OwnVpc extends Vpc {
  readonly loadBalancerSubnets: readonly ISubnet[];
  readonly taskSubnets: readonly ISubnet[];

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
    this.taskSubnets = needsInternet ? this.privateSubnets : this.isolatedSubnets;
    this.loadBalancerSubnets = isInternal ? this.taskSubnets : this.publicSubnets;
    this.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(
        new LogGroup(this, 'FlowLogGroup', props.logging),
        new Role(this, 'FlowLogRole', {
          assumedBy: flowLogs(this),
          description: 'ecr-upload-proxy: writes the flow log of the registry endpoint.',
        }),
      ),
      trafficType: FlowLogTrafficType.ALL,
    });
  }

  /** @param reference this VPC as a security group takes it */
  addEndpointsFor(users: EndpointUsers, reference: IVpc): void {
    const subnets = { subnets: [...this.taskSubnets] };
    const securityGroup = new SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: reference,
      description: 'ecr-upload-proxy: what the registry endpoint asks of AWS.',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(users.tasks, Port.tcp(443), 'the tasks');
    for (const [id, service, roles] of interfaceEndpoints) {
      const endpoint = this.addInterfaceEndpoint(id, {
        service,
        subnets,
        securityGroups: [securityGroup],
        open: false,
      });
      // What each role may do there is said by its own policy.
      const principals = roles.map((role) => users[role].grantPrincipal);
      endpoint.addToPolicy(new PolicyStatement({ principals, actions: ['*'], resources: ['*'] }));
    }
    const gateway = (id: string, service: GatewayVpcEndpointAwsService, actions: string[], arn: string) =>
      this.addGatewayEndpoint(id, { service, subnets: [subnets] }).addToPolicy(
        // A gateway's policy names no principals but by conditions, and ECR signs the addresses of its layers.
        new PolicyStatement({ principals: [new AnyPrincipal()], actions, resources: [arn] }),
      );
    // What the tasks run, and what they stream to who reads.
    gateway('S3', GatewayVpcEndpointAwsService.S3, ['s3:GetObject'], layersArn);
    if (users.quotaTable) {
      const { tableArn } = users.quotaTable;
      gateway('DynamoDb', GatewayVpcEndpointAwsService.DYNAMODB, [...quotaActions], tableArn);
    }
  }
}

/** Those of this account alone. Source: the Amazon VPC user guide, "IAM role for publishing flow logs". */
const flowLogs = (scope: Construct): ServicePrincipal =>
  new ServicePrincipal('vpc-flow-logs.amazonaws.com', {
    conditions: sourceConditions(scope, {
      service: 'ec2',
      resource: 'vpc-flow-log',
      resourceName: '*',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    }),
  });
