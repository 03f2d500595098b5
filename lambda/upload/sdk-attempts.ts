// What the AWS SDK says of its own attempts at a call that failed in the end.

import { z } from 'zod';

/** The SDK's own count, which it adds to what it throws. */
const attempted = z.object({ $metadata: z.object({ attempts: z.number() }) });

/** An earlier attempt may have been done, and its answer lost. */
export const wasRetried = (failure: unknown): boolean =>
  (attempted.safeParse(failure).data?.$metadata.attempts ?? 1) > 1;
