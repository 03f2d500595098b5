// A web ACL that slows down the one client that sends too much, so that the others are served: decision 0013.

import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { errors } from '../../api/errors.ts';
import { headersOf } from '../../api/proxy-error.ts';
import { problemOf, slowDown } from './gateway-responses.ts';

/** Requests in a minute; where a limit is missing, nothing is counted. */
export type ClientThrottling = {
  requestsPerMinutePerAddress?: number | undefined;
  requestsPerMinutePerToken?: number | undefined;
};

/** Where a token may be: `Authorization` in both of its forms, or where an AWS SDK puts a session token. */
const tokenHeaders = { Authorization: 'authorization', SessionToken: 'x-amz-security-token' } as const;

const bodyKey = 'SlowDown';

/** In place of WAF's 403, which would tell a client that it is of no use to come back. */
const block = {
  block: {
    customResponse: {
      responseCode: errors.ThrottlingException.status,
      customResponseBodyKey: bodyKey,
      responseHeaders: [
        ...Object.entries(headersOf(slowDown)).map(([name, value]) => ({ name, value })),
        { name: 'Cache-Control', value: 'no-store' },
      ],
    },
  },
};

/** Samples would hold headers, and with them tokens. */
const visibility = (metricName: string) => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  sampledRequestsEnabled: false,
});

type Counted = Omit<CfnWebACL.RateBasedStatementProperty, 'limit' | 'evaluationWindowSec'>;
type Rule = { name: string; limit: number; counted: Counted };

const byHeader = (name: string): Counted => ({
  aggregateKeyType: 'CUSTOM_KEYS',
  customKeys: [{ header: { name, textTransformations: [{ priority: 0, type: 'NONE' }] } }],
});

const rulesOf = ({ requestsPerMinutePerAddress, requestsPerMinutePerToken }: ClientThrottling): Rule[] => [
  ...(requestsPerMinutePerAddress === undefined
    ? []
    : [{ name: 'Address', limit: requestsPerMinutePerAddress, counted: { aggregateKeyType: 'IP' } }]),
  ...(requestsPerMinutePerToken === undefined
    ? []
    : Object.entries(tokenHeaders).map(([name, header]) => ({
        name,
        limit: requestsPerMinutePerToken,
        counted: byHeader(header),
      }))),
];

export class ClientThrottlingWebAcl extends CfnWebACL {
  constructor(scope: Construct, id: string, throttling: ClientThrottling) {
    const metricOf = (name: string) => `${id}-${name}`;
    super(scope, id, {
      description: 'ecr-upload-proxy: requests of one address, or with one token.',
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(metricOf('All')),
      customResponseBodies: {
        // WAF knows no application/problem+json.
        [bodyKey]: { contentType: 'APPLICATION_JSON', content: JSON.stringify(problemOf(slowDown)) },
      },
      rules: rulesOf(throttling).map(({ name, limit, counted }, priority) => ({
        name,
        priority,
        action: block,
        statement: { rateBasedStatement: { limit, evaluationWindowSec: 60, ...counted } },
        visibilityConfig: visibility(metricOf(name)),
      })),
    });
  }
}
