// What Zod finds wrong in a file that a person wrote, as lines that say what to fix.

import type { z } from 'zod';

/**
 * `member.path: what is wrong with it`
 * @param whole what messages call the file itself
 * @param before what comes before the schema's messages: they name what is expected, or are Zod's own sentences
 */
export const describeIssue = (issue: z.core.$ZodIssue, whole: string, before = 'expected '): string =>
  issue.code === 'unrecognized_keys'
    ? `${[...issue.path, issue.keys.join(', ')].join('.')}: not a member`
    : `${issue.path.join('.') || whole}: ${before}${issue.message}`;
