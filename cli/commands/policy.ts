// `policy`: checks a directory of policies, runs its test cases, explains a decision.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Quota } from '../../api/quotas.ts';
import { openPolicies, type Policies } from '../../policy/policies.ts';
import { describeFault, PolicyError, type PolicyFiles, readPolicyFiles } from '../../policy/policy-files.ts';
import { readQuotas } from '../../policy/quota-file.ts';
import { CommandError } from '../failure.ts';
import { type PolicyCase, parseCases, readCases } from '../policy/cases.ts';
import { explainCase } from '../policy/explain.ts';
import { runCase } from '../policy/run-case.ts';
import { ownSchema } from '../policy/schema.ts';

type Opened = PolicyFiles & { decisions: Policies };

/**
 * As the functions do it when they start, in the same engine. A directory without a schema of its own is held against
 * the one that comes with this program.
 */
function open(directory: string): Opened {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandError(`${directory} is not a directory.`, { exitStatus: 2 });
  }
  const schema = join(directory, 'schema.cedarschema');
  try {
    const files = readPolicyFiles(directory, existsSync(schema) ? schema : ownSchema);
    return { ...files, decisions: openPolicies(files) };
  } catch (error) {
    if (!(error instanceof PolicyError)) {
      throw error;
    }
    throw new CommandError(`${directory} does not validate:\n${error.message}`, { cause: error });
  }
}

function checkQuotas(directory: string): Quota[] {
  try {
    return readQuotas(directory);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : 'The quotas cannot be read.', {
      cause: error,
    });
  }
}

const check = new Command('check')
  .description('Parse and validate the policies of a directory')
  .argument('<directory>', 'where the *.cedar files are')
  .action((directory: string) => {
    const { policies, warnings } = open(directory);
    for (const warning of warnings) {
      console.error(`warning: ${describeFault(warning)}`);
    }
    const quotas = checkQuotas(directory);
    console.log(`${policies.length} policies are valid.`);
    if (quotas.length > 0) {
      console.log(`${quotas.length} quotas are valid.`);
    }
  });

const test = new Command('test')
  .description('Run the cases of a directory’s *.test.yaml files against its policies')
  .argument('<directory>', 'where the *.cedar and *.test.yaml files are')
  .action((directory: string) => {
    const { decisions } = open(directory);
    const cases = readCases(directory);
    if (cases.length === 0) {
      throw new CommandError(`${directory} has no cases in *.test.yaml files.`);
    }
    const results = cases.map((one) => runCase(decisions, one));
    for (const { passed, name, detail } of results) {
      console.log(`${passed ? 'ok    ' : 'FAILED'}  ${name}${detail && `\n${detail}`}`);
    }
    const failed = results.filter(({ passed }) => !passed).length;
    console.log(`${results.length - failed} passed, ${failed} failed`);
    if (failed > 0) {
      throw new CommandError(`${failed} of ${results.length} cases failed.`);
    }
  });

function casesFrom(directory: string, name: string | undefined, file: string | undefined): PolicyCase[] {
  const all =
    file === undefined
      ? readCases(directory)
      : parseCases(readFileSync(file === '-' ? 0 : file, 'utf8'), file === '-' ? 'standard input' : file);
  const found = all.filter((one) => name === undefined || one.name === name);
  if (found.length > 0) {
    return found;
  }
  throw new CommandError(`No case${name === undefined ? '' : ` of the name ${JSON.stringify(name)}`}.`);
}

const explain = new Command('explain')
  .description('Say of a case which policies decide it, and where they are')
  .argument('<directory>', 'where the *.cedar files are')
  .argument('[name]', 'the name of a case; all of them, if left out')
  .option('--file <file>', 'take the case from this YAML file, or - for standard input')
  .action((directory: string, name: string | undefined, { file }: { file?: string }) => {
    const { policies, decisions } = open(directory);
    for (const one of casesFrom(directory, name, file)) {
      console.log(explainCase(decisions, policies, one));
    }
  });

export const policy = new Command('policy')
  .description('Work on Cedar policies')
  .addCommand(check)
  .addCommand(test)
  .addCommand(explain);
