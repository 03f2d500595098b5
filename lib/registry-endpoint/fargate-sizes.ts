// The sizes of a task that AWS Fargate has: for each CPU, the memory that goes with it.

/** Inclusive, in MiB. Source: the Amazon ECS developer guide, "Task size". */
const memoryOf = {
  512: { from: 1_024, to: 4_096, step: 1_024 },
  1024: { from: 2_048, to: 8_192, step: 1_024 },
  2048: { from: 4_096, to: 16_384, step: 1_024 },
  4096: { from: 8_192, to: 30_720, step: 1_024 },
} as const;

type Cpu = keyof typeof memoryOf;

/** 1,024 are one vCPU. A quarter of one is left out: Cedar's policies would take seconds to load. */
export const cpus = [512, 1_024, 2_048, 4_096] as const satisfies readonly Cpu[];

/** What is wrong with the memory of a task, as the configuration says it; undefined where Fargate has it. */
export function expectedMemory(cpu: Cpu, memory: number): string | undefined {
  const { from, to, step } = memoryOf[cpu];
  return memory >= from && memory <= to && memory % step === 0
    ? undefined
    : `a number of MiB from ${from} to ${to} in steps of ${step}, as Fargate has it with cpu ${cpu}`;
}
