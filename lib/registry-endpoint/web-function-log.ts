// The log groups of a web function: the one that is read, and the `.local` one that Lambda collects from.

import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** Both are made here, so that both are kept and encrypted as the others are. */
export class WebFunctionLog extends Construct {
  readonly logGroup: LogGroup;
  readonly all: readonly LogGroup[];

  constructor(scope: Construct, id: string, logging: LogGroupProps) {
    super(scope, id);
    this.logGroup = new LogGroup(this, 'LogGroup', logging);
    // Source: the Lambda developer guide, "Web Function logs in Amazon CloudWatch Logs".
    const local = new LogGroup(this, 'Local', {
      ...logging,
      logGroupName: `${this.logGroup.logGroupName}.local`,
    });
    this.all = [this.logGroup, local];
  }
}
