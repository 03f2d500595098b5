// The directory of the Cedar schema and policies: checked at synth, deployed beside every function.

import { join, resolve } from 'node:path';
import { loadPolicies } from '../lambda/policies.ts';
import { readQuotas } from '../lambda/quotas.ts';
import { ConfigurationError } from './configuration.ts';
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
 * @returns the directory's absolute path
 * @throws ConfigurationError naming what is not there, does not parse or does not validate
 */
export const checkedPolicyDirectory = (directory: string): string => {
  const path = resolve(directory);
  try {
    loadPolicies(path);
    readQuotas(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`The policy directory ${directory} cannot be deployed:\n${reason}`, {
      cause,
    });
  }
  return path;
};

/** @param directory as {@link checkedPolicyDirectory} returns it */
export const declaresQuotas = (directory: string): boolean => readQuotas(directory).length > 0;
