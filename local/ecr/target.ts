// What an operation of the stand-in works on.

import type { Downloads } from './downloads.ts';
import type { Repository } from './repository.ts';

/** `registryId` is the account's id, as ECR answers it, whatever the input said. */
export type Target = {
  readonly repository: Repository;
  readonly registryId: string;
  readonly downloads: Downloads;
};
