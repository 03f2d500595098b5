// What the proxy knows of its registry endpoint, whichever host serves it.

import type { Alarm, IAlarm, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { SharedProps } from '../functions/proxy-function.ts';

/** What a host gets besides its own configuration. */
export type HostProps = SharedProps & {
  /** The API's, which are the endpoint's as well unless it has its own. */
  allowedIpRanges: readonly string[] | undefined;
  /** Whether the API is reached through VPC endpoints alone. */
  isApiPrivate: boolean;
  alarmTopic: ITopic | undefined;
};

export type Host = {
  /** What stands before the repository in the name of an image: `push.example.com`. */
  readonly registryHost: string;
  /** Where the record of the domain points; undefined where the address is AWS's. */
  readonly domainTarget: string | undefined;
  /** Of what is done with ECR: whom other accounts let push. */
  readonly role: IRole;
  /** One line for each request, as the functions write it. */
  readonly logGroup: LogGroup;
  readonly alarms: readonly Alarm[];
  readonly namedAlarms: readonly IAlarm[];
  /** Rows of the dashboard. */
  readonly widgets: IWidget[][];
};
