// What a stack gives to the whole proxy as one construct.

import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { ClientThrottling } from './api/client-throttling.ts';
import type { Domain } from './api/custom-domain.ts';
import type { Throttling } from './api/upload-api.ts';
import type { ConfigurationInput } from './configuration/configuration.ts';

export type EcrUploadProxyProps = {
  /**
   * Per registry (`ecr`, `ecr-public`), the repositories that the functions' roles can reach, whatever the
   * policies say: names, or patterns such as `team-a/*`. A registry without any is not served.
   */
  readonly repositories: ConfigurationInput['repositories'];
  /**
   * Accounts whose registries a request may name in `registryId`, besides the stack's own. Their
   * repositories' policies must allow it as well.
   * @default the stack's own account alone
   */
  readonly registryIds?: readonly string[];
  /**
   * Aliases of the stack's own account at ECR Public, which a request may name in `registryId`.
   * @default none
   */
  readonly registryAliases?: readonly string[];
  /**
   * The directory of `schema.cedarschema`, `*.cedar` and `quotas.yaml`; relative to the working directory.
   * @default the policies that ship with the construct
   */
  readonly policyDirectory?: string;
  /**
   * Whose OIDC tokens are taken, each with the audience that they must have.
   * @default only tokens that the proxy's operator minted
   */
  readonly issuers?: ConfigurationInput['issuers'];
  /**
   * How long a session token is valid, `{ maxMinutes: 1 to 60 }`, for which a client may exchange its token; `false`
   * for none.
   * @default 60 minutes
   */
  readonly sessionTokens?: ConfigurationInput['sessionTokens'];
  /**
   * Makes the API private: it is reached through these interface endpoints of `execute-api` and no other way.
   * @default a regional API on the internet
   */
  readonly vpcEndpoints?: readonly IVpcEndpoint[];
  /**
   * A domain name of your own; with mutual TLS it becomes the only way in.
   * @default the API's own address
   */
  readonly domain?: Domain;
  /**
   * The only addresses that may call; with `vpcEndpoints`, private ones.
   * @default any
   */
  readonly allowedIpRanges?: readonly string[];
  /**
   * A regional WAF web ACL before the API.
   * @default none
   */
  readonly webAclArn?: string;
  /** @default 100 requests per second with bursts of 500: 400 MiB of parts per second */
  readonly throttling?: Throttling;
  /**
   * Requests in a minute of one address, or with one token: a web ACL, which costs some dollars a month. Not together
   * with `webAclArn`.
   * @default one client may use all that `throttling` gives to all of them
   */
  readonly clientThrottling?: ClientThrottling;
  /**
   * Where container tools push by themselves, as in the configuration: docs/registry-endpoint.md.
   * @default none
   */
  readonly registryEndpoint?: NonNullable<ConfigurationInput['registryEndpoint']>;
  /**
   * Each function's memory, in megabytes; 1,769 are one vCPU.
   * @default 1769
   */
  readonly memorySize?: number;
  /**
   * Instances kept for each function, which are also its most: a number for all, or numbers by function.
   * @default the account's unreserved ones
   */
  readonly reservedConcurrentExecutions?: ConfigurationInput['reservedConcurrentExecutions'];
  /**
   * Of every role in the construct.
   * @default none
   */
  readonly permissionsBoundary?: IManagedPolicy;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
  /**
   * Encrypts the bucket, the secret and the log groups. The policy of an imported key must let CloudWatch
   * Logs use it: docs/operations.md.
   * @default keys of AWS's
   */
  readonly encryptionKey?: IKey;
  /**
   * What becomes of the secret and the logs when the stack goes. The bucket always goes.
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: they stay, but for a first deployment that fails
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Gives the account and region the role that API Gateway writes access logs with: for an account that has
   * none. It stays when the stack goes.
   * @default false
   */
  readonly setAccountLogRole?: boolean;
  /**
   * Notified when an alarm starts and when it ends.
   * @default the alarms tell nobody
   */
  readonly alarmTopic?: ITopic;
};
