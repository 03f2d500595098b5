// Where the configuration is: in the context of cdk.json itself, or in a file that the context names.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Configuration, contextKey, readConfiguration } from './configuration.ts';
import { projectRoot } from './project-root.ts';

const read = async (path: string): Promise<unknown> => {
  const url = pathToFileURL(resolve(projectRoot, path)).href;
  const module: { default?: unknown } = path.endsWith('.json')
    ? await import(url, { with: { type: 'json' } })
    : await import(url);
  return module.default;
};

/**
 * @param value what the context holds under {@link contextKey}: the configuration, or the path of a file that
 *   does, relative to the project. A `.json` file holds it, a `.ts` or `.js` file has it as its default export.
 * @throws Error for a file that cannot be read, or a configuration that is wrong
 */
export const findConfiguration = async (value: unknown): Promise<Configuration> => {
  if (typeof value !== 'string') return readConfiguration(value);
  const found = await read(value).catch((cause: unknown) => {
    throw new Error(`context "${contextKey}" names a file that cannot be read: ${value}`, { cause });
  });
  return readConfiguration(found, value);
};
