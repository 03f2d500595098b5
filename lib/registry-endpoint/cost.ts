// What a registry endpoint on Fargate costs, in USD at the prices of us-east-1: for a month in which nobody pushes, and
// for a GiB.

import { prices } from '../monitoring/prices.ts';

const hoursPerMonth = 730;

/** Whatever is paid by the hour. `zones` are availability zones, of which the stack's own VPC has two. */
export const monthly = {
  task: (cpu: number, mebibytes: number) =>
    hoursPerMonth *
    ((cpu / 1_024) * prices.fargateVcpuHour + (mebibytes / 1_024) * prices.fargateGigabyteHour),
  loadBalancer: hoursPerMonth * prices.loadBalancerHour,
  /** Of an internet-facing load balancer, one in each zone; a NAT gateway has one too. */
  publicAddress: hoursPerMonth * prices.publicAddressHour,
  interfaceEndpoints: (endpoints: number, zones: number) =>
    hoursPerMonth * endpoints * zones * prices.interfaceEndpointHour,
  natGateway: hoursPerMonth * (prices.natGatewayHour + prices.publicAddressHour),
} as const;

/** Prices are per 10⁹ bytes. */
const gigabytesIn = 1_073_741_824 / 1e9;

/** ECR takes parts in base64: three bytes are four. */
const gigabytesOut = (gigabytesIn * 4) / 3;

/** A GiB pushed: in through the load balancer, out to ECR. */
export const perGibibyte = {
  /** A capacity unit is a GB in an hour. */
  loadBalancer: gigabytesIn * prices.loadBalancerCapacityHour,
  interfaceEndpoint: gigabytesOut * prices.interfaceEndpointGigabyte,
  natGateway: gigabytesOut * prices.natGatewayGigabyte,
} as const;
