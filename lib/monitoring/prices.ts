// What a request's parts cost in USD, for the dashboard's estimate and the table in docs/operations.md.

/**
 * On-demand list prices of us-east-1 without free tiers and volume discounts, as known in November 2025: the
 * price pages of API Gateway, Lambda, Amazon S3, DynamoDB, CloudWatch and X-Ray have today's. Other regions differ
 * by up to about a half.
 */
export const prices = {
  /** REST API, per request. */
  apiRequest: 3.5e-6,
  lambdaRequest: 0.2e-6,
  /** arm64, per gigabyte and second. */
  lambdaGigabyteSecond: 0.000_013_333_4,
  /** PUT, per request. */
  s3Put: 5e-6,
  /** GET and HEAD, per request. */
  s3Get: 0.4e-6,
  /** CloudWatch Logs, per gigabyte taken in. */
  logGigabyte: 0.5,
  /** X-Ray, per trace that is kept. */
  trace: 5e-6,
  /** On demand, per consistent read of an item up to 4 KB. */
  dynamoDbRead: 0.125e-6,
  /** On demand, per write unit: an item up to 1 KB is one, and two in a transaction. */
  dynamoDbWrite: 0.625e-6,

  // Of a registry endpoint on Fargate. The first four were read from AWS's price data of September 2026; the others are
  // from memory.
  /** arm64. */
  fargateVcpuHour: 0.032_38,
  fargateGigabyteHour: 0.003_56,
  loadBalancerHour: 0.022_5,
  /** Of an Application Load Balancer: a GB that it processes in an hour. */
  loadBalancerCapacityHour: 0.008,
  /** In each availability zone. */
  interfaceEndpointHour: 0.01,
  interfaceEndpointGigabyte: 0.01,
  natGatewayHour: 0.045,
  natGatewayGigabyte: 0.045,
  /** A public IPv4 address. */
  publicAddressHour: 0.005,
} as const;
