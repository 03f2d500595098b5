// What only the operator can mend: said in the log, and counted for the alarm that tells them.

import type { Logger } from '@aws-lambda-powertools/logger';
import type { FaultSource } from '../../api/metrics.ts';
import { describeFailure } from './failures.ts';
import type { Meter } from './meter.ts';

/**
 * Belongs to no call: it is found out when something is read, and true of all calls after it.
 *
 * @param failure whose message quotes nothing of a token or of the secret
 */
export type ReportFault = (source: FaultSource, message: string, failure: Error) => void;

export const configurationFaults =
  (logger: Logger, { fault }: Pick<Meter, 'fault'>): ReportFault =>
  (source, message, failure) => {
    logger.error(message, { source, failure: describeFailure(failure) });
    fault(source);
  };
