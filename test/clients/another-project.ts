// Another project, in which the package is installed as npm packs it.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/**
 * Nothing is downloaded: what npm would install beside the package are links to what is installed here.
 *
 * @param others what the project has installed besides
 * @returns the project's directory
 */
export async function createProject(others: readonly string[] = []): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'another-project-'));
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'ecr-upload-proxy');
  await mkdir(installed, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout);
  await run('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1']);
  for (const name of [...Object.keys(packageJson.dependencies), ...others]) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  return project;
}

/** @returns what the compiler says of a program in the project: nothing, when all is well */
export async function typeCheck(project: string, program: string): Promise<string> {
  await writeFile(join(project, 'program.ts'), program);
  const flags = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--noEmit'];
  const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), [...flags, 'program.ts'], {
    cwd: project,
  }).catch((error: { stdout: string }) => error);
  return stdout;
}
