// What a piece of work costs the process that does it, without what it took to start: printed for who started it.

import { z } from 'zod';

export const cost = z.object({ wallSeconds: z.number(), cpuSeconds: z.number() });
export type Cost = z.output<typeof cost>;

export async function measured(work: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const wallSeconds = (performance.now() - startedMs) / 1_000;
  console.log(JSON.stringify({ wallSeconds, cpuSeconds: (user + system) / 1_000_000 } satisfies Cost));
}
