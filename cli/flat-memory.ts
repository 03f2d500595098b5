// Keeps a command's memory flat while layers pass through it.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';

const MiB = 1_048_576;
const lookEveryMs = 20;
const maxGrowthBytes = 8 * MiB;

type CollectYoung = (options: { type: 'minor' }) => void;

/** V8's own collector, which a program has only when it asks for it. */
function collector(): CollectYoung {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  return z.custom<CollectYoung>((value) => typeof value === 'function').parse(collect);
}

/**
 * Each 64 KiB that arrive are one small object of V8's young generation, and bytes beside it. V8 collects that
 * generation when the small objects fill it: by then the bytes are some 70 MiB. So it is collected here each time
 * they have grown by a little, which takes about a millisecond.
 */
export function keepMemoryFlat(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  const collectYoung = collector();
  let floorBytes = process.memoryUsage().arrayBuffers;
  setInterval(() => {
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers - floorBytes > maxGrowthBytes) {
      collectYoung({ type: 'minor' });
      floorBytes = process.memoryUsage().arrayBuffers;
    } else {
      floorBytes = Math.min(floorBytes, arrayBuffers);
    }
  }, lookEveryMs).unref();
}
