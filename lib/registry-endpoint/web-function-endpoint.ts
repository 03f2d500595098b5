// The registry endpoint on an AWS Lambda web function: it scales to zero, and is open to every address.

import { Aws, Names, Validations } from 'aws-cdk-lib';
import type { Alarm, IAlarm, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnWebFunction, CfnWebFunctionEndpoint, CfnWebFunctionRevision } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeDependencies } from '../acknowledgements.ts';
import { serverBundle, serverFile } from '../functions/bundling.ts';
import { AlarmTable } from '../monitoring/alarm-table.ts';
import { webFunctionConcurrency } from './capacity.ts';
import type { WebFunctionConfiguration } from './configuration.ts';
import type { Host, HostProps } from './host.ts';
import { Probe } from './probe.ts';
import { RegionRule } from './region.ts';
import { registryOf, serverEnvironment } from './server-environment.ts';
import { ServerRole } from './task-role.ts';
import { uploadsInFlight } from './uploads-in-flight.ts';
import { WebFunctionCode } from './web-function-code.ts';
import { maxRequestSeconds, webFunctionRegions } from './web-function-limits.ts';
import { WebFunctionLog } from './web-function-log.ts';
import { webFunctionAlarms, webFunctionWidgets } from './web-function-metrics.ts';

/** Of 64 characters, with a hyphen and the longest name of a region: the name is unique among all regions. */
const maxNameCharacters = 64 - '-ap-northeast-1'.length;

/** No document says how long Lambda's own connections to the server idle; it is ended a second after SIGTERM. */
const waits = { keepAliveSeconds: 75, stallSeconds: 110, serverStopSeconds: 1 };

const expectedRegion = `registryEndpoint.host: expected fargate, for AWS Lambda has web functions in ${webFunctionRegions.join(', ')} alone`;

/** Before clients get a new revision it is asked for its health, at an endpoint of its own. */
const candidateLimits = { maxEnvironments: 2, rateLimit: 100 };

const endpointName = 'registry';

type Limits = Pick<WebFunctionConfiguration, 'maxEnvironments' | 'rateLimit'>;

export class WebFunctionEndpoint extends Construct implements Host {
  readonly registryHost: string;
  readonly domainTarget = undefined;
  readonly role: ServerRole;
  readonly logGroup: LogGroup;
  readonly alarms: readonly Alarm[];
  readonly namedAlarms: readonly IAlarm[];
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, endpoint: WebFunctionConfiguration, props: HostProps) {
    super(scope, id);
    const { encryptionKey, serviceName } = props;
    new RegionRule(this, 'Region', [{ regions: webFunctionRegions, expected: expectedRegion }]);
    const functionName = `${shortName(this)}-${Aws.REGION}`;
    const log = new WebFunctionLog(this, 'Log', {
      retention: props.logRetention,
      removalPolicy: props.removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
    this.logGroup = log.logGroup;
    this.role = new ServerRole(this, 'Role', {
      ...props,
      registry: registryOf(endpoint, props.repositories),
      logGroups: log.all,
    });

    const webFunction = new CfnWebFunction(this, 'Function', { functionName });
    Validations.of(this).acknowledge({
      id: 'CloudFormation-Validate::F3006',
      reason: 'The rules that come with the CDK know no web functions yet; its own classes of them do.',
    });
    const revision = this.#revision(functionName, endpoint, props);
    revision.node.addDependency(webFunction);
    const candidate = this.#endpoint('Candidate', 'candidate', revision, candidateLimits);
    const probe = new Probe(this, 'Health', {
      domainName: candidate.attrDomainName,
      revisionId: revision.attrRevisionId,
      logGroup: log.logGroup,
    });
    const served = this.#endpoint('Endpoint', endpointName, revision, endpoint);
    served.node.addDependency(probe.resource);
    this.registryHost = served.attrDomainName;

    const metrics = { functionName, endpointName, uploadsInFlight: uploadsInFlight(serviceName) };
    const alarms = new AlarmTable(this, 'Alarms', {
      rows: webFunctionAlarms,
      metrics,
      serviceName,
      topic: props.alarmTopic,
      page: 'docs/registry-endpoint.md',
    });
    this.alarms = alarms.all;
    this.namedAlarms = alarms.named;
    this.widgets = webFunctionWidgets(metrics);
  }

  /** By its name: the function's ARN in its place leaves a stack that cannot even be rolled back. */
  #revision(
    functionName: string,
    endpoint: WebFunctionConfiguration,
    props: HostProps,
  ): CfnWebFunctionRevision {
    const code = new WebFunctionCode(this, 'Code', {
      bundle: () => serverBundle(props.policies),
      functionName,
      logGroup: this.logGroup,
    });
    const revision = new CfnWebFunctionRevision(this, 'Revision', {
      functionName,
      description: 'ecr-upload-proxy: the registry endpoint.',
      buildConfig: {
        codeConfig: { s3Object: code.location },
        runtimeConfig: { runtime: 'nodejs24.x' },
      },
      serviceConfig: {
        executionRoleArn: this.role.roleArn,
        timeoutSeconds: maxRequestSeconds,
        maxConcurrencyPerEnvironment: webFunctionConcurrency,
        environmentVariables: {
          ...serverEnvironment(endpoint, props, { ...waits, maxUploads: webFunctionConcurrency }),
          AWS_LAMBDA_NODEJS_ENTRYPOINT: serverFile,
        },
        telemetryConfig: { loggingConfig: { logGroup: this.logGroup.logGroupName } },
      },
    });
    // As soon as there is a revision Lambda reads the code, and asks for the role's rights.
    revision.node.addDependency(this.role, code);
    acknowledgeDependencies(revision);
    return revision;
  }

  /** Of one revision by its id: the latest one would be called as soon as it is there, whether it starts or not. */
  #endpoint(
    id: string,
    name: string,
    revision: CfnWebFunctionRevision,
    { maxEnvironments, rateLimit }: Limits,
  ): CfnWebFunctionEndpoint {
    return new CfnWebFunctionEndpoint(this, id, {
      functionName: revision.functionName,
      endpointName: name,
      endpointType: 'HomeRegion',
      // The server knows who calls: container tools send a token and no signature.
      authType: 'ApplicationManaged',
      revisionWeights: [{ revisionId: revision.attrRevisionId, weight: 100 }],
      scalingConfig: { maxEnvironments },
      throttleConfig: { rateLimit },
    });
  }
}

const shortName = (scope: Construct): string =>
  Names.uniqueResourceName(scope, {
    maxLength: maxNameCharacters,
    separator: '-',
    allowedSpecialCharacters: '-',
  });
