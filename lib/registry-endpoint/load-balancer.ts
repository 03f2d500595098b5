// The Application Load Balancer in front of the tasks: who may connect, over what, and how long it waits.

import { CfnResource, Duration, Fn, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  type ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  DesyncMitigationMode,
  IpAddressType,
  MutualAuthenticationMode,
  SslPolicy,
  TargetGroupLoadBalancingAlgorithmType,
  TargetType,
  TrustStore,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { FargateConfiguration } from './configuration.ts';
import type { Network } from './network.ts';
import { healthPath, serverPort } from './server-environment.ts';
import type { Times } from './times.ts';

export type LoadBalancerProps = Pick<FargateConfiguration, 'domain' | 'webAclArn' | 'accessLogBucket'> & {
  network: Network;
  isInternal: boolean;
  /** The only addresses; undefined for any that reaches it. */
  ipRanges: readonly string[] | undefined;
  times: Times;
};

/** The answer to a health check asks nobody, and is there at once. */
const healthCheck = {
  path: healthPath,
  healthyHttpCodes: '200',
  interval: Duration.seconds(10),
  timeout: Duration.seconds(5),
  healthyThresholdCount: 2,
  unhealthyThresholdCount: 3,
};

const anywhere = ['0.0.0.0/0'];

/**
 * What the CDK writes into a group that lets nothing out, and leaves out where a rule is a resource of its own: to a
 * group in which no rule stands CloudFormation adds one that lets everything out.
 */
const noTraffic = {
  IpProtocol: 'icmp',
  FromPort: 252,
  ToPort: 86,
  CidrIp: '255.255.255.255/32',
  Description: 'Disallow all traffic',
};

export class LoadBalancer extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup;
  readonly listener: ApplicationListener;

  constructor(scope: Construct, id: string, props: LoadBalancerProps) {
    super(scope, id);
    const { network, times } = props;
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      vpcSubnets: network.loadBalancerSubnets,
      internetFacing: !props.isInternal,
      ipAddressType: IpAddressType.IPV4,
      securityGroup: this.#securityGroup(props),
      // Its window for HTTP/2 lets an upload move 64 KiB in a round trip.
      http2Enabled: false,
      idleTimeout: Duration.seconds(times.idleTimeoutSeconds),
      dropInvalidHeaderFields: true,
      // `strictest` refuses requests that container tools send.
      desyncMitigationMode: DesyncMitigationMode.DEFENSIVE,
    });
    this.#logTo(props.accessLogBucket);
    this.targetGroup = new ApplicationTargetGroup(this, 'Tasks', {
      vpc: network.vpc,
      targetType: TargetType.IP,
      protocol: ApplicationProtocol.HTTP,
      port: serverPort,
      deregistrationDelay: Duration.seconds(times.deregistrationDelaySeconds),
      // Uploads last for seconds or for hours: turns would pile them up.
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      healthCheck,
    });
    this.listener = this.#listener(props.domain);
    if (props.webAclArn !== undefined) {
      const { loadBalancerArn: resourceArn } = this.loadBalancer;
      new CfnWebACLAssociation(this, 'WebAcl', { resourceArn, webAclArn: props.webAclArn });
    }
  }

  #securityGroup({ network, ipRanges }: LoadBalancerProps): SecurityGroup {
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'ecr-upload-proxy: the load balancer of the registry endpoint.',
      allowAllOutbound: false,
    });
    for (const range of ipRanges ?? anywhere) {
      securityGroup.addIngressRule(Peer.ipv4(range), Port.tcp(443), 'clients');
    }
    securityGroup.addEgressRule(network.taskSecurityGroup, Port.tcp(serverPort), 'the tasks');
    const definition = securityGroup.node.defaultChild;
    if (CfnResource.isCfnResource(definition)) {
      definition.addPropertyOverride('SecurityGroupEgress', [noTraffic]);
    }
    network.taskSecurityGroup.addIngressRule(securityGroup, Port.tcp(serverPort), 'the load balancer');
    if (ipRanges === undefined) {
      Validations.of(securityGroup).acknowledge({
        id: 'AwsSolutions-EC23',
        reason:
          'Clients come from anywhere unless allowedIpRanges says otherwise; tokens decide what they may.',
      });
    }
    return securityGroup;
  }

  #listener({ certificateArn, mutualTls }: FargateConfiguration['domain']): ApplicationListener {
    return this.loadBalancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      // The security group says who may connect.
      open: false,
      sslPolicy: SslPolicy.TLS13_12_RES_PQ,
      certificates: [Certificate.fromCertificateArn(this, 'Certificate', certificateArn)],
      defaultTargetGroups: [this.targetGroup],
      ...(mutualTls && {
        mutualAuthentication: {
          mutualAuthenticationMode: MutualAuthenticationMode.VERIFY,
          trustStore: this.#trustStore(mutualTls),
        },
      }),
    });
  }

  #trustStore(mutualTls: NonNullable<FargateConfiguration['domain']['mutualTls']>): TrustStore {
    const { hostname, pathname } = new URL(mutualTls.truststoreUri);
    return new TrustStore(this, 'TrustStore', {
      bucket: Bucket.fromBucketName(this, 'TrustStoreBucket', hostname),
      key: decodeURIComponent(pathname.slice(1)),
      ...(mutualTls.truststoreVersion && { version: mutualTls.truststoreVersion }),
    });
  }

  /** By attributes, for `logAccessLogs` wants to know the region and to write the bucket's policy. */
  #logTo(bucketName: string | undefined): void {
    if (bucketName === undefined) {
      Validations.of(this.loadBalancer).acknowledge({
        id: 'AwsSolutions-ELB2',
        reason:
          'The server writes a line for each request; what the load balancer refuses by itself is counted. A bucket for its log is the operator’s to give (accessLogBucket).',
      });
      return;
    }
    this.loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    this.loadBalancer.setAttribute('access_logs.s3.bucket', bucketName);
    // One bucket may have the logs of several stacks.
    this.loadBalancer.setAttribute('access_logs.s3.prefix', Fn.ref('AWS::StackName'));
  }
}
