// The Python tools that the templates are tried with, moto and cfn-lint, in a virtualenv below .local/.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const projectRoot = join(import.meta.dirname, '../..');
const requirementsFile = join(import.meta.dirname, 'requirements.txt');
const environment = join(projectRoot, '.local', 'python');
const stampFile = join(environment, 'requirements.txt');

const isCurrent = (requirements: string) =>
  existsSync(stampFile) && readFileSync(stampFile, 'utf8') === requirements;

/**
 * Makes the virtualenv anew when the requirements have changed; from then on nothing needs the network.
 *
 * @returns the path of a tool in it
 */
export const pythonTool = (name: 'cfn-lint' | 'moto_server'): string => {
  const requirements = readFileSync(requirementsFile, 'utf8');
  if (!isCurrent(requirements)) {
    const run = (file: string, ...args: string[]) => execFileSync(file, args, { stdio: 'inherit' });
    rmSync(environment, { recursive: true, force: true });
    run('python3', '-m', 'venv', environment);
    run(join(environment, 'bin', 'pip'), 'install', '--quiet', '--requirement', requirementsFile);
    writeFileSync(stampFile, requirements);
  }
  return join(environment, 'bin', name);
};
