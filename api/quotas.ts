// The operator's quotas: what may be sent in a day, by whom or into which namespace. Their form, and that of a usage.

import { parse } from 'yaml';
import { z } from 'zod';
import { describeIssue } from './zod-issues.ts';

export type Unit = 'bytes' | 'images';

/** From the position `first` on, up to `end` and without it. */
export type Range = { readonly first: number; readonly end: number };

/** What a request uses: of an item (an upload, an image) a range of positions, each of which is counted once. */
export type Usage = Range & {
  unit: Unit;
  item: string;
  /** Counted once a day, and not once and for all. */
  daily?: boolean;
};

const expectedName = 'a name of letters, digits and hyphens';
const count = z.int('a whole number from 1 on').positive('a whole number from 1 on');

const quota = z
  .strictObject({
    name: z.string(expectedName).regex(/^[A-Za-z0-9-]{1,64}$/, expectedName),
    /** A client's name, or `*`: every client and every workload, each with a count of its own. */
    client: z.string().min(1).optional(),
    /** A namespace, or `*`: every one, each with a count of its own. */
    namespace: z.string().min(1).optional(),
    bytesPerDay: count.optional(),
    imagesPerDay: count.optional(),
  })
  .refine(
    ({ client, namespace }) => (client === undefined) !== (namespace === undefined),
    'either client or namespace',
  )
  .refine(
    ({ bytesPerDay, imagesPerDay }) => bytesPerDay ?? imagesPerDay,
    'bytesPerDay, imagesPerDay or both',
  );

/**
 * Quotas that one request can be counted against: DynamoDB writes 100 items at once, and an image is counted as one and
 * by its manifest's bytes, with a mark of each. Source: DynamoDB API reference, TransactWriteItems.
 */
const maxAtOnce = 49;

/** The most names that one request can be counted under: those for everybody, and those of the client that has most. */
function mostOf(names: readonly (string | undefined)[]): number {
  const numbers = new Map<string, number>();
  for (const name of names) {
    if (name !== undefined) {
      numbers.set(name, (numbers.get(name) ?? 0) + 1);
    }
  }
  const { '*': everybody = 0, ...others } = Object.fromEntries(numbers);
  return everybody + Math.max(0, ...Object.values(others));
}

const quotas = z
  .array(quota, 'a list of quotas')
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'each name once')
  .refine(
    (list) =>
      mostOf(list.map(({ client }) => client)) + mostOf(list.map(({ namespace }) => namespace)) <= maxAtOnce,
    `at most ${maxAtOnce} quotas for one client and one namespace`,
  );

export type Quota = z.output<typeof quota>;

export const quotaFile = 'quotas.yaml';

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${quotaFile}: ${error instanceof Error ? error.message : 'no YAML'}`, { cause: error });
  }
}

/** @throws Error naming every member that is wrong and what was expected of it */
export function parseQuotas(text: string): Quota[] {
  const { data, error } = quotas.safeParse(parseYaml(text) ?? []);
  if (data) {
    return data;
  }
  const lines = error.issues.map((issue) => describeIssue(issue, 'the file'));
  throw new Error(`${quotaFile}:\n${lines.join('\n')}`);
}
