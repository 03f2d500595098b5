// The directory of the Cedar schema and policies: checked at synth, deployed beside every function.

import { join, resolve } from 'node:path';
import { loadPolicies } from '../lambda/policies.ts';
import { readQuotas } from '../lambda/quotas.ts';
import { ConfigurationError, reasonOf } from './configuration.ts';
import { projectRoot } from './project-root.ts';

/** The policies that ship: those that an operator edits, unless the configuration names another directory. */
export const policySource = join(projectRoot, 'policies');

/** The directory's name beside the functions' code: `POLICY_DIRECTORY`, relative to the task root. */
export const policyDirectoryName = 'policies';

/**
 * Loads policies and quotas as the functions do when they start: what would fail there fails here, before
 * anything is deployed.
 *
 * @param directory relative to the working directory, which is the project's where `cdk` runs
 * @returns the directory's absolute path, and whether a quota is declared in it
 * @throws ConfigurationError naming what is not there, does not parse or does not validate
 */
export const checkedPolicies = (directory: string): { policyDirectory: string; declaresQuotas: boolean } => {
  const policyDirectory = resolve(directory);
  try {
    loadPolicies(policyDirectory);
    return { policyDirectory, declaresQuotas: readQuotas(policyDirectory).length > 0 };
  } catch (cause) {
    const what = `The policy directory ${directory} cannot be deployed`;
    throw new ConfigurationError(`${what}:\n${reasonOf(cause)}`, { cause });
  }
};
