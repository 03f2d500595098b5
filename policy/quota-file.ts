// The quotas of a policy directory, read from the file beside its policies.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuotas, type Quota, quotaFile } from '../api/quotas.ts';

/** None where the directory has no file of them. @throws Error see {@link parseQuotas} */
export const readQuotas = (directory: string): Quota[] => {
  const file = join(directory, quotaFile);
  return existsSync(file) ? parseQuotas(readFileSync(file, 'utf8')) : [];
};
