// What AWS Lambda has of web functions: where they are, and which numbers it takes.

/** Sources: `ReplicaRegions` of AWS SAM's web function; live probes of others, docs/aws-assumptions.md. */
export const webFunctionRegions: readonly string[] = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'sa-east-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
];

const inSteps = (from: number, to: number, step: number) =>
  Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);

/** Requests in a second that an endpoint can be limited to. Source: CloudFormation, WebFunctionEndpoint ThrottleConfig. */
export const rateLimits: readonly number[] = [
  0,
  ...inSteps(100, 1_000, 100),
  ...inSteps(2_000, 10_000, 1_000),
];

/** The longest that one request may take, in seconds. Source: the Lambda developer guide. */
export const maxRequestSeconds = 900;
