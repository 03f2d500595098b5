// Where the configuration is: in the context of cdk.json itself, or in a file that the context names.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withoutByteOrderMark } from '../../api/byte-order-mark.ts';
import { projectRoot } from '../project-root.ts';
import {
  type Configuration,
  ConfigurationError,
  contextKey,
  readConfiguration,
  reasonOf,
} from './configuration.ts';

async function readMembers(path: string): Promise<unknown> {
  const file = resolve(projectRoot, path);
  if (file.endsWith('.json')) {
    return JSON.parse(withoutByteOrderMark(await readFile(file, 'utf8')));
  }
  const module: { default?: unknown } = await import(pathToFileURL(file).href);
  return module.default;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new ConfigurationError(`--context ${contextKey} is no JSON: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * @param value what the context holds under {@link contextKey}: the configuration, its JSON as
 *   `--context ecr-upload-proxy='{…}'` gives it, or the path of a file, relative to the project. A `.json` file
 *   holds the configuration, a `.ts` or `.js` file has it as its default export.
 * @returns the configuration as it was written, and where
 * @throws ConfigurationError for a file that cannot be read, or no JSON
 */
export async function findConfiguration(value: unknown): Promise<{ members: unknown; source: string }> {
  const source = `cdk.json, context "${contextKey}"`;
  if (typeof value !== 'string') {
    return { members: value, source };
  }
  if (value.trimStart().startsWith('{')) {
    return { members: parseJson(value), source: '--context' };
  }
  const members = await readMembers(value).catch((error: unknown) => {
    const what = `context "${contextKey}" names a file that cannot be read: ${value}`;
    throw new ConfigurationError(`${what}: ${reasonOf(error)}`, { cause: error });
  });
  return { members, source: value };
}

/** @throws ConfigurationError for a file that cannot be read, or a configuration that is wrong */
export async function loadConfiguration(value: unknown): Promise<Configuration> {
  const { members, source } = await findConfiguration(value);
  return readConfiguration(members, source);
}
