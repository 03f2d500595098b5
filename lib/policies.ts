// The directory of the Cedar schema and policies: read once at synth, checked, and deployed with every function.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { quotaFile } from '../api/quotas.ts';
import { loadPolicies } from '../policy/policies.ts';
import { readPolicyFile, schemaFile } from '../policy/policy-directory.ts';
import { readQuotas } from '../policy/quota-file.ts';
import { ConfigurationError, reasonOf } from './configuration/configuration.ts';
import { projectRoot } from './project-root.ts';

/** The policies that ship: those that an operator edits, unless the configuration names another directory. */
export const policySource = join(projectRoot, 'policies');

/** The directory's name next to the functions' code: `POLICY_DIRECTORY`, relative to the task root. */
export const policyDirectoryName = 'policies';

/** Bytes by name: what the functions read, without tests and other files of the directory. */
export type PolicyFiles = ReadonlyMap<string, Buffer>;

type CheckedPolicies = { files: PolicyFiles; declaresQuotas: boolean };

const isDeployed = (name: string) => [schemaFile, quotaFile].includes(name) || name.endsWith('.cedar');

function readFiles(directory: string): PolicyFiles {
  const names = readdirSync(directory).filter(isDeployed).sort();
  if (!names.includes(schemaFile)) {
    throw new Error(`there is no ${schemaFile} in it`);
  }
  return new Map(names.map((name) => [name, readPolicyFile(join(directory, name))]));
}

/** Loads what was read, as the functions do when they start, from a copy that nobody else writes to. */
function check(files: PolicyFiles): CheckedPolicies {
  const copy = mkdtempSync(join(tmpdir(), 'ecr-upload-proxy-policies-'));
  try {
    for (const [name, bytes] of files) {
      writeFileSync(join(copy, name), bytes);
    }
    loadPolicies(copy);
    return { files, declaresQuotas: readQuotas(copy).length > 0 };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/**
 * Reads policies and quotas once: the bytes that pass the check are those that deploy, whatever becomes of the
 * directory meanwhile. What would fail in the functions fails here, before anything is deployed.
 *
 * @param directory relative to the working directory, which is the project's where `cdk` runs
 * @throws ConfigurationError naming what is not there, does not parse or does not validate
 */
export function checkedPolicies(directory: string): CheckedPolicies {
  try {
    return check(readFiles(resolve(directory)));
  } catch (error) {
    const what = `The policy directory ${directory} cannot be deployed`;
    throw new ConfigurationError(`${what}:\n${reasonOf(error)}`, { cause: error });
  }
}
