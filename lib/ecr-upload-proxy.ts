// The construct library's front: the whole proxy as one construct.

import { Names, RemovalPolicy } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Alarm, Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import type { IVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import { type IManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type OperationName, operationNames } from '../api/operations.ts';
import { AccessLog } from './access-log.ts';
import { Alarms } from './alarms.ts';
import { checkedProps } from './checked-props.ts';
import { type ClientThrottling, ClientThrottlingWebAcl } from './client-throttling.ts';
import { type ConfigurationInput, configuredRegistries } from './configuration.ts';
import { CustomDomain, type Domain } from './custom-domain.ts';
import { ProxyDashboard } from './dashboard.ts';
import { allowCloudWatchLogs } from './log-encryption.ts';
import { checkedPolicies, policySource } from './policies.ts';
import { ProxyFunction, type SharedFunctionProps } from './proxy-function.ts';
import { ProxyMetrics } from './proxy-metrics.ts';
import { ProxySecret } from './proxy-secret.ts';
import { QuotaTable } from './quota-table.ts';
import { StagingBucket } from './staging-bucket.ts';
import { stageName, type Throttling, UploadApi } from './upload-api.ts';

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
   * Is told of every alarm and of its end.
   * @default the alarms tell nobody
   */
  readonly alarmTopic?: ITopic;
};

type FunctionName = OperationName | 'AwsDoor';

/** InitiateLayerUpload is the export `initiateLayerUpload` of lambda/handlers.ts. */
const handlerOf = (name: FunctionName): string => name.charAt(0).toLowerCase() + name.slice(1);

/** What a day of refused requests can cost follows from it: docs/operations.md. */
export const defaultThrottling: Throttling = { requestsPerSecond: 100, burst: 500 };
export const defaultMemorySize = 1_769;

/** Knows neither account nor region: it synthesizes without credentials and deploys anywhere. */
export class EcrUploadProxy extends Construct {
  /** Where clients send their requests; ends with `/`. */
  readonly url: string;
  readonly api: RestApi;
  readonly domain: CustomDomain | undefined;
  /** By operation; `AwsDoor` serves them all for AWS SDKs. */
  readonly functions: ReadonlyMap<FunctionName, ProxyFunction>;
  readonly stagingBucket: Bucket;
  readonly secret: ProxySecret;
  readonly accessLog: AccessLog;
  readonly alarms: readonly Alarm[];
  readonly dashboard: Dashboard;
  /** Where the policy directory declares quotas. */
  readonly quotaTable: QuotaTable | undefined;

  constructor(scope: Construct, id: string, props: EcrUploadProxyProps) {
    super(scope, id);
    const { encryptionKey, removalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE } = props;
    const { repositories } = props;
    const { registryIds, registryAliases, issuers } = checkedProps(props);
    const serviceName = Names.uniqueResourceName(this, {
      maxLength: 128,
      separator: '-',
      allowedSpecialCharacters: '-',
    });
    const memorySize = props.memorySize ?? defaultMemorySize;
    const logging = {
      encryptionKey,
      removalPolicy,
      logRetention: props.logRetention ?? RetentionDays.ONE_MONTH,
    };
    if (encryptionKey) allowCloudWatchLogs(encryptionKey);

    this.stagingBucket = new StagingBucket(this, 'StagingBucket', { encryptionKey });
    this.secret = new ProxySecret(this, 'Secret', { encryptionKey, removalPolicy, serviceName });
    this.accessLog = new AccessLog(this, 'AccessLog', { ...logging, serviceName });

    const { files: policies, declaresQuotas } = checkedPolicies(props.policyDirectory ?? policySource);
    this.quotaTable = declaresQuotas ? new QuotaTable(this, 'QuotaTable') : undefined;

    const shared: SharedFunctionProps = {
      ...logging,
      repositories,
      registryIds,
      registryAliases,
      issuers,
      policies,
      quotaTable: this.quotaTable,
      stagingBucket: this.stagingBucket,
      secret: this.secret,
      memorySize,
      serviceName,
    };
    const { reservedConcurrentExecutions: reserved } = props;
    const functionOf = (name: FunctionName, served: readonly OperationName[]) =>
      new ProxyFunction(this, name, {
        ...shared,
        handler: handlerOf(name),
        operations: served,
        reservedConcurrentExecutions: typeof reserved === 'object' ? reserved[name] : reserved,
      });
    const operationFunctions = new Map(operationNames.map((name) => [name, functionOf(name, [name])]));
    const awsDoorFunction = functionOf('AwsDoor', operationNames);
    this.functions = new Map([...operationFunctions, ['AwsDoor' as const, awsDoorFunction] as const]);

    const api = new UploadApi(this, 'Api', {
      registries: configuredRegistries({ repositories }),
      operationFunctions,
      awsDoorFunction,
      accessLog: this.accessLog,
      vpcEndpoints: props.vpcEndpoints,
      ipRanges: props.allowedIpRanges,
      throttling: props.throttling ?? defaultThrottling,
      webAclArn: props.clientThrottling
        ? new ClientThrottlingWebAcl(this, 'ClientThrottling', props.clientThrottling).attrArn
        : props.webAclArn,
      setAccountLogRole: props.setAccountLogRole ?? false,
      serviceName,
      // Its own address would let clients in without a certificate.
      disableExecuteApiEndpoint: props.domain?.mutualTls !== undefined,
    });
    this.api = api;
    this.domain = props.domain && new CustomDomain(this, 'Domain', props.domain, api);
    this.url = this.domain?.url ?? api.url;

    const functions = [...this.functions.values()];
    const metrics = new ProxyMetrics({
      serviceName,
      stageName,
      functions,
      stagingBucket: this.stagingBucket,
      gatewayThrottles: this.accessLog.throttles,
    });
    const alarms = new Alarms(this, 'Alarms', metrics, props.alarmTopic);
    this.alarms = alarms.all;
    this.dashboard = new ProxyDashboard(this, 'Dashboard', {
      dashboardName: serviceName,
      metrics,
      alarms: alarms.named,
      functionLogs: functions.map(({ logGroup }) => logGroup),
      accessLog: this.accessLog,
      memorySizeMegabytes: memorySize,
    });

    if (props.permissionsBoundary) PermissionsBoundary.of(this).apply(props.permissionsBoundary);
  }
}
