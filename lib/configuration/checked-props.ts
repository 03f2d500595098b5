// The construct's props, held against the rules of the configuration.

import { Token } from 'aws-cdk-lib';
import { checkDeployable } from '../deployable.ts';
import type { EcrUploadProxyProps } from '../ecr-upload-proxy-props.ts';
import { readConfiguration } from './configuration.ts';

/** A value that only the deployment knows cannot be checked: this one, which passes, stands for it. */
const known = <T>(value: T, example: T): T => (Token.isUnresolved(value) ? example : value);
const exampleCertificateArn = 'arn:aws:acm:us-east-1:000000000000:certificate/0';
const exampleTruststoreUri = 's3://example/truststore.pem';
const exampleWebAclArn = 'arn:aws:wafv2:us-east-1:000000000000:regional/webacl/example/0';

/**
 * The rules of the configuration hold for the props as well, except for two that a user of the construct
 * answers for: whole registries, and loopback issuers.
 *
 * @returns those that have another form, or a default, in the construct
 * @throws ConfigurationError that says, for every wrong member, what was expected
 */
export function checkedProps(props: EcrUploadProxyProps) {
  const { repositories, registryIds, registryAliases, allowedIpRanges, vpcEndpoints, domain, webAclArn } =
    props;
  const names = (list: readonly string[] | undefined) => list?.map((name) => known(name, 'a/b'));
  const given = {
    repositories: { ecr: names(repositories.ecr), 'ecr-public': names(repositories['ecr-public']) },
    // To expose no account is what leaving the list out means.
    registryIds: registryIds?.length ? registryIds.map((id) => known(id, '000000000000')) : undefined,
    registryAliases: registryAliases?.length
      ? registryAliases.map((alias) => known(alias, 'alias'))
      : undefined,
    issuers: props.issuers,
    sessionTokens: props.sessionTokens,
    allowedIpRanges: allowedIpRanges?.map((range) => known(range, '192.0.2.0/24')),
    vpcEndpointIds: vpcEndpoints?.map(() => 'vpce-0123456789abcdef0'),
    domain: domain && {
      name: known(domain.name, 'example.com'),
      certificateArn: exampleCertificateArn,
      ...(domain.mutualTls && { mutualTls: { truststoreUri: exampleTruststoreUri } }),
    },
    webAclArn: known(webAclArn, exampleWebAclArn),
    throttling: props.throttling,
    clientThrottling: props.clientThrottling,
    registryEndpoint: props.registryEndpoint,
    memorySizeMegabytes: props.memorySize,
    reservedConcurrentExecutions: props.reservedConcurrentExecutions,
    logRetentionDays: props.logRetention,
    allowEveryRepository: true,
    allowLoopbackIssuers: true,
  };
  const { issuers, sessionTokens, registryEndpoint } = readConfiguration(given, 'EcrUploadProxy');
  const lists = { registryIds: registryIds ?? [], registryAliases: registryAliases ?? [] };
  const checked = { ...lists, issuers, sessionTokens, registryEndpoint };
  checkDeployable({ ...props, ...checked });
  return checked;
}
