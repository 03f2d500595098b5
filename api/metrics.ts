// The metrics of the proxy, as a table: what the functions write, and the dashboard and the alarms read.

import type { OperationName } from './operations.ts';
import type { Registry } from './registries.ts';

export const metricsNamespace = 'EcrUploadProxy';

/**
 * Each metric is written for the whole proxy (dimension `service`), and once more for every value of its other
 * dimension. None has a client, a repository or a route for a dimension: who pushed what is in the log.
 */
export const metrics = {
  /** Every request that reached a function. */
  Requests: { unit: 'Count', by: 'operation' },
  /** Bytes of layer parts that were taken. */
  Bytes: { unit: 'Bytes', by: 'operation' },
  /** Two parts of a client's that went to ECR as one. */
  PartJoins: { unit: 'Count', by: 'operation' },
  /** Parts that ECR had already, and refusals that say where to resume. */
  Resumes: { unit: 'Count', by: 'operation' },
  /** Decisions that were denials because a policy, or Cedar's engine itself, failed. */
  PolicyErrors: { unit: 'Count', by: 'operation' },
  AuditWouldAllow: { unit: 'Count', by: 'operation' },
  AuditWouldRefuse: { unit: 'Count', by: 'operation' },
  /** Requests that were refused or failed; `reason` is the code of the error table. */
  Refusals: { unit: 'Count', by: 'reason' },
  /** What the operator has to fix: an invalid entry of the secret, an issuer whose keys cannot be fetched. */
  ConfigurationFaults: { unit: 'Count', by: 'source' },
  /** Of one call to AWS with its retries. Its number of samples is the number of calls. */
  UpstreamLatency: { unit: 'Milliseconds', by: 'upstream' },
  /** Calls that failed for other reasons than the client's. */
  UpstreamErrors: { unit: 'Count', by: 'upstream' },
} as const satisfies Record<string, { unit: 'Count' | 'Bytes' | 'Milliseconds'; by: string }>;

export type MetricName = keyof typeof metrics;

/** A value of the dimension `source`. */
export type FaultSource = 'secret' | 'issuer';

/** A value of the dimension `upstream`. */
export type UpstreamCall = `${Registry}:${OperationName}` | 's3:HeadObject' | 's3:GetObject' | 's3:PutObject';

/**
 * How many uploads a server of the registry endpoint has under way: written by each of them once a minute, for the
 * dimension `service` alone, so that the mean is that of one server.
 */
export const uploadsInFlightMetric = { name: 'UploadsInFlight', everySeconds: 60 } as const;
