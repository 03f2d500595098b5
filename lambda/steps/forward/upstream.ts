// What the operations use to answer a permit: ECR, the staging area, and the record of the call.

import type { OperationName } from '../../../api/operations.ts';
import type { SecretReader } from '../../identity/secret.ts';
import type { IncomingCall } from '../../incoming-call.ts';
import type { CallRecord } from '../../telemetry/call-record.ts';
import type { EcrServices } from '../../upload/ecr.ts';
import type { Staging } from '../../upload/staging.ts';
import type { Permit } from '../authorize.ts';

/** The same for all calls: ECR, the staging area and the key that seals upload ids. */
export type Backend = {
  readonly ecr: EcrServices;
  /** The staging area under a key. */
  readonly staging: (key: string) => Staging;
  readonly readSecret: SecretReader;
};

/** For one call. */
export type Upstream = Backend &
  Pick<CallRecord, 'count' | 'warn'> &
  Pick<IncomingCall, 'abortSignal' | 'tellNearlyUsed'>;

/** The repository as the request names it: ECR resolves an alias. */
export const repositoryOf = ({ registryId, members }: Permit<OperationName>) => ({
  registryId: members.registryId ?? registryId,
  repositoryName: members.repositoryName,
});
