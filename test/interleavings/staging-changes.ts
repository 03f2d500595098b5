// Calls to S3 that could be left out, each as a change that is planted, to see which of them something rests on.

import type { Slot, SlotContent, Staging } from '../../lambda/upload/staging.ts';
import type { Planted } from './upload-race.ts';

const isNote = (content: SlotContent) => content.waiting.length === 0;

/** Answers that a write was done, and leaves it out. */
const leavingOut =
  (isLeftOut: (content: SlotContent, previous: Slot | undefined) => boolean) =>
  (staging: Staging): Staging => ({
    ...staging,
    put: async (content, previous, abortSignal) =>
      isLeftOut(content, previous) || staging.put(content, previous, abortSignal),
  });

/** By what is left out. */
export const changes: Readonly<Record<string, Planted>> = {
  'the HEAD before a part is staged, and with it the condition of its PUT': {
    withoutConditions: true,
    staging: (staging) => ({ ...staging, head: async () => undefined }),
  },
  'the HEAD before a part is staged; its PUT on condition that there is no slot': {
    staging: (staging) => ({ ...staging, head: async () => undefined }),
  },
  'the condition of each PUT': { withoutConditions: true },
  'the PUT that notes that a pair has gone up': {
    staging: leavingOut(
      (content, previous) => isNote(content) && content.completion === previous?.completion,
    ),
  },
  'the PUT that notes a completion': {
    staging: leavingOut(
      (content, previous) => content.completion !== undefined && content.completion !== previous?.completion,
    ),
  },
  'the GET and PUT that correct the note of a completion': {
    staging: leavingOut(
      (content, previous) => previous?.completion !== undefined && content.completion !== previous.completion,
    ),
  },
};
