// The stack: the proxy as the configuration describes it, and what the operator needs to know of it.

import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { InterfaceVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { sessionTokenExchange } from '../api/session-tokens.ts';
import type { Domain } from './api/custom-domain.ts';
import type { Configuration } from './configuration/configuration.ts';
import { EcrUploadProxy } from './ecr-upload-proxy.ts';
import type { EcrUploadProxyProps } from './ecr-upload-proxy-props.ts';

export class EcrUploadProxyStack extends Stack {
  readonly proxy: EcrUploadProxy;

  /** @param props win over what the configuration says of the stack */
  constructor(scope: Construct, id: string, configuration: Configuration, props: StackProps = {}) {
    super(scope, id, {
      description: 'ecr-upload-proxy: a front for Amazon ECR uploads.',
      terminationProtection: configuration.terminationProtection,
      tags: configuration.tags,
      ...props,
    });

    // Under this id its resources have the logical ids that they would have in the stack itself.
    this.proxy = new EcrUploadProxy(this, 'Default', propsOf(this, configuration));
    const { url, secret, domain, functions, registryEndpoint } = this.proxy;

    new CfnOutput(this, 'ProxyUrl', { value: url, description: 'Where clients send their requests.' });
    new CfnOutput(this, 'SecretArn', { value: secret.secretArn, description: 'Where client tokens go.' });
    if (configuration.registryIds) {
      const pushing = [...functions].filter(([name]) => name !== sessionTokenExchange.name);
      const roles = [
        ...pushing.map(([, { lambda }]) => lambda.role),
        ...(registryEndpoint ? [registryEndpoint.role] : []),
      ];
      const value = roles.map((role) => role?.roleArn).join(',');
      new CfnOutput(this, 'FunctionRoleArns', { value, description: 'Whom other accounts let push.' });
    }
    if (domain) {
      const value = domain.domainNameAliasDomainName;
      new CfnOutput(this, 'DomainTarget', { value, description: 'What the domain’s DNS record points to.' });
    }
    if (registryEndpoint) {
      const { registryHost: value, domainTarget } = registryEndpoint;
      new CfnOutput(this, 'RegistryHost', { value, description: 'What the names of images begin with.' });
      if (domainTarget !== undefined) {
        const description = 'What the DNS record of the registry endpoint’s domain points to.';
        new CfnOutput(this, 'RegistryDomainTarget', { value: domainTarget, description });
      }
    }
  }
}

/** What a failed first deployment created is not in use yet: it is deleted in either case. */
const removalPolicies = {
  retain: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  destroy: RemovalPolicy.DESTROY,
} as const;

/** The configuration's texts as the objects of the construct library. */
function propsOf(scope: Construct, configuration: Configuration): EcrUploadProxyProps {
  const { vpcEndpointIds, kmsKeyArn, alarmTopicArn, permissionsBoundaryArn, domain } = configuration;
  return {
    repositories: configuration.repositories,
    issuers: configuration.issuers,
    sessionTokens: configuration.sessionTokens,
    memorySize: configuration.memorySizeMegabytes,
    logRetention: configuration.logRetentionDays,
    removalPolicy: removalPolicies[configuration.removalPolicy],
    setAccountLogRole: configuration.setAccountLogRole,
    ...given('policyDirectory', configuration.policyDirectory),
    ...given('registryIds', configuration.registryIds),
    ...given('registryAliases', configuration.registryAliases),
    ...given('allowedIpRanges', configuration.allowedIpRanges),
    ...given('webAclArn', configuration.webAclArn),
    ...given('throttling', configuration.throttling),
    ...given('clientThrottling', configuration.clientThrottling),
    ...given('registryEndpoint', configuration.registryEndpoint),
    ...given('reservedConcurrentExecutions', configuration.reservedConcurrentExecutions),
    ...given(
      'vpcEndpoints',
      vpcEndpointIds?.map((id) => vpcEndpoint(scope, id)),
    ),
    ...given('domain', domain && domainOf(scope, domain)),
    ...given('encryptionKey', kmsKeyArn && Key.fromKeyArn(scope, 'EncryptionKey', kmsKeyArn)),
    ...given('alarmTopic', alarmTopicArn && Topic.fromTopicArn(scope, 'AlarmTopic', alarmTopicArn)),
    ...given(
      'permissionsBoundary',
      permissionsBoundaryArn &&
        ManagedPolicy.fromManagedPolicyArn(scope, 'PermissionsBoundary', permissionsBoundaryArn),
    ),
  };
}

/** A prop that is left out rather than undefined. */
const given = <Name extends keyof EcrUploadProxyProps>(
  name: Name,
  value: EcrUploadProxyProps[Name] | undefined | '',
): Partial<EcrUploadProxyProps> => (value === undefined || value === '' ? {} : { [name]: value });

const vpcEndpoint = (scope: Construct, vpcEndpointId: string) =>
  InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(scope, vpcEndpointId, { vpcEndpointId, port: 443 });

function domainOf(
  scope: Construct,
  { name, certificateArn, mutualTls }: NonNullable<Configuration['domain']>,
): Domain {
  const certificate = Certificate.fromCertificateArn(scope, 'Certificate', certificateArn);
  if (!mutualTls) {
    return { name, certificate };
  }
  const { hostname, pathname } = new URL(mutualTls.truststoreUri);
  const { ownershipVerificationCertificateArn: ownershipArn } = mutualTls;
  return {
    name,
    certificate,
    mutualTls: {
      bucket: Bucket.fromBucketName(scope, 'TruststoreBucket', hostname),
      key: decodeURIComponent(pathname.slice(1)),
      ...(mutualTls.truststoreVersion && { version: mutualTls.truststoreVersion }),
    },
    ...(ownershipArn && {
      ownershipVerificationCertificate: Certificate.fromCertificateArn(scope, 'Ownership', ownershipArn),
    }),
  };
}
