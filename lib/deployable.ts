// What AWS would refuse only while it deploys, because it is too much: refused at synth.

import { ConfigurationError } from './configuration/configuration.ts';
import type { EcrUploadProxyProps } from './ecr-upload-proxy-props.ts';
import { type RepositoryAccess, repositoriesOf, splitIntoPolicies } from './functions/repository-policies.ts';

type Checked = Pick<EcrUploadProxyProps, 'vpcEndpoints' | 'allowedIpRanges'> &
  RepositoryAccess & { registryAliases: readonly string[]; issuers: unknown };

/** Managed policies that a role may have. Source: the IAM user guide, "IAM and AWS STS quotas". */
const maxRepositoryPolicies = 10;

/** Of the 4 KB that a function's environment may have, besides everything else in it. Source: Lambda quotas. */
const maxListCharacters = 3_000;

/** Of the 8,192 bytes of a resource policy, besides its statements. Source: API Gateway quotas. */
const maxNetworkCharacters = 7_000;

/** In the environment the issuers are a text within JSON; an account may be one that only the deployment knows. */
const listCharacters = ({ issuers, registryIds, registryAliases }: Checked) =>
  JSON.stringify(JSON.stringify(issuers)).length +
  registryIds.length * '000000000000,'.length +
  registryAliases.join(',').length;

const networkCharacters = ({ allowedIpRanges = [], vpcEndpoints = [] }: Checked) =>
  JSON.stringify(allowedIpRanges).length + vpcEndpoints.length * '"vpce-0123456789abcdef0",'.length;

const faults: readonly { readonly when: (props: Checked) => boolean; readonly message: string }[] = [
  {
    when: (props) => splitIntoPolicies(repositoriesOf(props)).length > maxRepositoryPolicies,
    message:
      'repositories, in all of registryIds: IAM has no room for so many in a role. Use patterns that cover more, or a stack each.',
  },
  {
    when: (props) => listCharacters(props) > maxListCharacters,
    message: `issuers, registryIds and registryAliases: ${maxListCharacters} characters are what the functions’ environment has room for. Use a stack each.`,
  },
  {
    when: (props) => networkCharacters(props) > maxNetworkCharacters,
    message: `allowedIpRanges and VPC endpoints: ${maxNetworkCharacters} characters are what the API’s resource policy has room for. Use IP sets of a web ACL.`,
  },
];

/** @throws ConfigurationError with everything that prevents a deployment */
export function checkDeployable(props: Checked): void {
  const found = faults.filter(({ when }) => when(props)).map(({ message }) => `  ${message}`);
  if (found.length > 0) {
    throw new ConfigurationError(`EcrUploadProxy:\n${found.join('\n')}`);
  }
}
