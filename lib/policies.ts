// Where the Cedar policies are that deploy with every function.

import { join } from 'node:path';
import { projectRoot } from './project-root.ts';

/** The directory of the schema and the policies, as the operator edits it. */
export const policySource = join(projectRoot, 'policies');

/** The directory's name beside the functions' code: `POLICY_DIRECTORY`, relative to the task root. */
export const policyDirectory = 'policies';
