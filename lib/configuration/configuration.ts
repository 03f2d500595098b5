// What an operator decides: read once, checked whole, every wrong member named.

import type { z } from 'zod';
import { isRegistry, type Registry, registries } from '../../api/registries.ts';
import { describeIssue } from '../../api/zod-issues.ts';
import { conflictsOf } from './conflicts.ts';
import { membersSchema } from './members.ts';

/** The key of the configuration, or of the path of its file, in the `context` of cdk.json. */
export const contextKey = 'ecr-upload-proxy';

const schema = membersSchema.superRefine((configuration, context) => {
  for (const conflict of conflictsOf(configuration)) {
    context.addIssue({ code: 'custom', ...conflict });
  }
});

export type Configuration = z.output<typeof schema>;

/** What an operator writes: everything with a default may be left out. */
export type ConfigurationInput = z.input<typeof schema>;

/** The registries that the configuration names repositories of, in the order of the registry table. */
export const configuredRegistries = ({ repositories }: Pick<Configuration, 'repositories'>): Registry[] =>
  Object.keys(registries)
    .filter(isRegistry)
    .filter((registry) => repositories[registry]?.length);

/** What an operator wrote and cannot be deployed; its message says all there is to know. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** What a failure beneath says, for the message of the one above it. */
export const reasonOf = (failure: unknown): string =>
  failure instanceof Error ? failure.message : String(failure);

/**
 * @param source where the value is from, for the message
 * @throws ConfigurationError that says, for every wrong member, what was expected
 */
export function readConfiguration(
  value: unknown,
  source = `cdk.json, context "${contextKey}"`,
): Configuration {
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const lines = result.error.issues.map((issue) => `  ${describeIssue(issue, contextKey)}`);
  throw new ConfigurationError(`${source}:\n${lines.join('\n')}`);
}
