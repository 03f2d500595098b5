// The construct library's front: the whole proxy as one construct.

import { Names, RemovalPolicy } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Alarm, Dashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type OperationName, operationsOf } from '../api/operations.ts';
import { type ServedName, sessionTokenExchange } from '../api/session-tokens.ts';
import { AccessLog } from './api/access-log.ts';
import { ClientThrottlingWebAcl } from './api/client-throttling.ts';
import { CustomDomain } from './api/custom-domain.ts';
import { stageName, type Throttling, UploadApi } from './api/upload-api.ts';
import { checkedProps } from './configuration/checked-props.ts';
import { configuredRegistries } from './configuration/configuration.ts';
import type { EcrUploadProxyProps } from './ecr-upload-proxy-props.ts';
import { ProxyFunction, type SharedFunctionProps } from './functions/proxy-function.ts';
import { allowCloudWatchLogs } from './log-encryption.ts';
import { Alarms } from './monitoring/alarms.ts';
import { ProxyDashboard } from './monitoring/dashboard.ts';
import { ProxyMetrics } from './monitoring/proxy-metrics.ts';
import { checkedPolicies, policySource } from './policies.ts';
import { ProxySecret } from './proxy-secret.ts';
import { QuotaTable } from './quota-table.ts';
import type { Host } from './registry-endpoint/host.ts';
import { newRegistryEndpoint } from './registry-endpoint/registry-endpoint.ts';
import { StagingBucket } from './staging-bucket.ts';

/**
 * `AwsDoor` is the AWS API's function. Construct ids, metric dimensions and settings contain the name, so it stays as
 * deployed stacks have it.
 */
type FunctionName = ServedName | 'AwsDoor';

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
  /** By operation; `AwsDoor` serves them all for AWS SDKs, and `CreateSessionToken` is there unless it is turned off. */
  readonly functions: ReadonlyMap<FunctionName, ProxyFunction>;
  readonly stagingBucket: Bucket;
  readonly secret: ProxySecret;
  readonly accessLog: AccessLog;
  readonly alarms: readonly Alarm[];
  readonly dashboard: Dashboard;
  /** Where the policy directory declares quotas. */
  readonly quotaTable: QuotaTable | undefined;
  /** Where container tools push by themselves, if the props say so. */
  readonly registryEndpoint: Host | undefined;

  constructor(scope: Construct, id: string, props: EcrUploadProxyProps) {
    super(scope, id);
    const { encryptionKey, removalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE } = props;
    const { repositories } = props;
    const { registryIds, registryAliases, issuers, sessionTokens, registryEndpoint } = checkedProps(props);
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
    if (encryptionKey) {
      allowCloudWatchLogs(encryptionKey);
    }

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
      sessionTokens,
      policies,
      quotaTable: this.quotaTable,
      stagingBucket: this.stagingBucket,
      secret: this.secret,
      memorySize,
      serviceName,
    };
    const { reservedConcurrentExecutions: reserved } = props;
    const functionOf = (name: FunctionName, operations: readonly OperationName[]) =>
      new ProxyFunction(this, name, {
        ...shared,
        handler: handlerOf(name),
        operations,
        reservedConcurrentExecutions: typeof reserved === 'object' ? reserved[name] : reserved,
      });
    const registries = configuredRegistries({ repositories });
    const served = operationsOf(registries);
    const operationFunctions = new Map(served.map((name) => [name, functionOf(name, [name])]));
    const awsApiFunction = functionOf('AwsDoor', served);
    const sessionTokenFunction = sessionTokens ? functionOf(sessionTokenExchange.name, []) : undefined;
    this.functions = new Map<FunctionName, ProxyFunction>([
      ...operationFunctions,
      ['AwsDoor', awsApiFunction],
      ...(sessionTokenFunction ? ([[sessionTokenExchange.name, sessionTokenFunction]] as const) : []),
    ]);

    const api = new UploadApi(this, 'Api', {
      registries,
      operationFunctions,
      awsApiFunction,
      sessionTokenFunction,
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
      functionThrottles: this.accessLog.functionThrottles,
    });
    const alarms = new Alarms(this, 'Alarms', metrics, props.alarmTopic);
    this.registryEndpoint =
      registryEndpoint &&
      newRegistryEndpoint(this, 'RegistryEndpoint', registryEndpoint, {
        ...shared,
        allowedIpRanges: props.allowedIpRanges,
        isApiPrivate: props.vpcEndpoints !== undefined,
        alarmTopic: props.alarmTopic,
      });
    this.alarms = [...alarms.all, ...(this.registryEndpoint?.alarms ?? [])];
    this.dashboard = new ProxyDashboard(this, 'Dashboard', {
      dashboardName: serviceName,
      metrics,
      alarms: [...alarms.named, ...(this.registryEndpoint?.namedAlarms ?? [])],
      functionLogs: [...functions, ...(this.registryEndpoint ? [this.registryEndpoint] : [])].map(
        ({ logGroup }) => logGroup,
      ),
      accessLog: this.accessLog,
      memorySizeMegabytes: memorySize,
      registryEndpoint: this.registryEndpoint?.widgets ?? [],
    });

    if (props.permissionsBoundary) {
      PermissionsBoundary.of(this).apply(props.permissionsBoundary);
    }
  }
}
