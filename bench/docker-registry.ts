// Distribution's registry, as Debian packages it, in place of the endpoint: what a push costs where no ECR is behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../test/clients/registry/tools.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}

const configuration = (directory: string, host: string) => `version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ${JSON.stringify(directory)} } }
http: { addr: ${JSON.stringify(host)} }
`;

const answers = (host: string): Promise<boolean> =>
  fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );

const name = 'docker-registry';

export const hasDockerRegistry = (): boolean => findTool(name) !== undefined;

/**
 * At a port of its own each time: of a registry that skopeo knows, it has a layer mounted from another repository.
 *
 * @param directory is created
 * @throws Error where it is not installed, or does not start
 */
export async function startDockerRegistry(directory: string) {
  const program = findTool(name);
  if (program === undefined) {
    throw new Error(`${name} is not installed`);
  }
  await mkdir(directory);
  const host = `127.0.0.1:${await freePort()}`;
  const file = join(directory, 'registry.yml');
  await writeFile(file, configuration(join(directory, 'registry'), host));
  const child = spawn(program, ['serve', file], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (!(await answers(host))) {
    if (child.exitCode !== null) {
      throw new Error(`${name} ended with ${child.exitCode}`);
    }
    await sleep(100);
  }
  return {
    host,
    processId: child.pid,
    close: async () => {
      child.kill();
      await ended;
    },
  };
}
