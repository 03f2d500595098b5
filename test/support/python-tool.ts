// Tools from PyPI that tests run, each set of them in a virtualenv of its own below .local/.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const projectRoot = join(import.meta.dirname, '../..');

/**
 * Makes the virtualenv anew when its requirements have changed; from then on nothing needs the network.
 *
 * @param name of the virtualenv's folder below .local/
 * @param requirementsFile what is installed into it, whole and exact
 * @returns finds the path of a tool in it
 */
export const pythonTools =
  (name: string, requirementsFile: string) =>
  (tool: string): string => {
    const environment = join(projectRoot, '.local', name);
    const stampFile = join(environment, 'requirements.txt');
    const requirements = readFileSync(requirementsFile, 'utf8');
    if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== requirements) {
      const run = (file: string, ...args: string[]) => execFileSync(file, args, { stdio: 'inherit' });
      rmSync(environment, { recursive: true, force: true });
      run('python3', '-m', 'venv', environment);
      run(join(environment, 'bin', 'pip'), 'install', '--quiet', '--requirement', requirementsFile);
      writeFileSync(stampFile, requirements);
    }
    return join(environment, 'bin', tool);
  };
