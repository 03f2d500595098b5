// A custom resource whose function is short enough to stand in the template, with a role of its own.

import { CfnResource, CustomResource, Duration } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeDependencies } from '../acknowledgements.ts';

export type InlineResourceProps = {
  /** In one sentence, what it does. */
  description: string;
  /**
   * CommonJS that defines `async function work(properties, remainingMs)`, which returns the resource's attributes, and
   * throws what CloudFormation is to say. Nothing is done where the resource goes.
   */
  work: string;
  properties: Record<string, string>;
  timeoutSeconds: number;
  /** Beside its log. */
  statements: readonly PolicyStatement[];
  logGroup: LogGroup;
};

/** Without an answer CloudFormation would wait for an hour. */
const answer = `
exports.handler = async (event, context) => {
  const { ResponseURL, StackId, RequestId, LogicalResourceId, RequestType, ResourceProperties } = event;
  const outcome = await (RequestType === 'Delete' ? Promise.resolve({}) : work(ResourceProperties, context.getRemainingTimeInMillis()))
    .then((Data) => ({ Status: 'SUCCESS', Data }), (error) => ({ Status: 'FAILED', Reason: String(error.message) }));
  const body = JSON.stringify({ PhysicalResourceId: LogicalResourceId, StackId, RequestId, LogicalResourceId, ...outcome });
  await fetch(ResponseURL, { method: 'PUT', body });
};
`;

/** What Lambda runs. */
export const inlineSource = (work: string): string => `${work.trim()}\n${answer.trim()}\n`;

export class InlineResource extends Construct {
  readonly resource: CustomResource;

  constructor(scope: Construct, id: string, props: InlineResourceProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.description,
    });
    const log = new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [props.logGroup.logGroupArn],
    });
    for (const statement of [log, ...props.statements]) {
      role.addToPolicy(statement);
    }
    const worker = new LambdaFunction(this, 'Function', {
      description: props.description,
      code: Code.fromInline(inlineSource(props.work)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutSeconds),
      logGroup: props.logGroup,
      role,
    });
    this.resource = new CustomResource(this, 'Resource', {
      serviceToken: worker.functionArn,
      properties: props.properties,
    });
    const [code, definition] = [worker.node.defaultChild, this.resource.node.defaultChild];
    if (CfnResource.isCfnResource(code) && CfnResource.isCfnResource(definition)) {
      acknowledgeDependencies(code);
      // As a number: the CDK's own prop is written as a text.
      definition.addPropertyOverride('ServiceTimeout', props.timeoutSeconds + 60);
    }
  }
}
