// Keeps a command's memory flat while layers pass through it.

import { setFlagsFromString } from 'node:v8';

/**
 * Every 64 KiB that arrive are an object in V8's young generation with its bytes elsewhere. Left to grow, that
 * generation is collected so seldom that some 70 MiB of bytes wait for it; at its first size, next to none do.
 */
export const keepMemoryFlat = (): void => setFlagsFromString('--semi-space-growth-factor=1');
