// The quotas of a policy directory, read from the file next to its policies.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuotas, type Quota, quotaFile } from '../api/quotas.ts';
import { readPolicyFile } from './policy-directory.ts';

/** None where the directory has no file of them. @throws Error see {@link parseQuotas} and {@link readPolicyFile} */
export const readQuotas = (directory: string): Quota[] =>
  readdirSync(directory).includes(quotaFile)
    ? parseQuotas(readPolicyFile(join(directory, quotaFile)).toString())
    : [];
