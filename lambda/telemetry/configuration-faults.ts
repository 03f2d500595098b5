// Faults that only the operator can fix: they are logged, and counted for an alarm.

import type { Logger } from '@aws-lambda-powertools/logger';
import type { FaultSource } from '../../api/metrics.ts';
import { describeFailure } from './failures.ts';
import type { Meter } from './meter.ts';

/**
 * Belongs to no call: a fault is found when something is read, and affects all calls after it.
 *
 * @param failure its message must not quote a token or the secret
 */
export type ReportFault = (source: FaultSource, message: string, failure: Error) => void;

export const configurationFaults =
  (logger: Logger, { fault }: Pick<Meter, 'fault'>): ReportFault =>
  (source, message, failure) => {
    logger.error(message, { source, failure: describeFailure(failure) });
    fault(source);
  };
