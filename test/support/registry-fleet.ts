// Several instances of the registry endpoint behind a balancer, each a process; now and then one ends, and another begins.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverBundle, serverFile } from '../../lib/functions/bundling.ts';
import { writeBundle } from '../../lib/functions/function-code.ts';
import { checkedPolicies, policySource } from '../../lib/policies.ts';
import { startRegistry } from '../../local/registry/registry.ts';
import type { InProcess } from './in-process.ts';
import { startLoadBalancer } from './load-balancer.ts';

/** How an instance ends. */
export const endings = {
  /** It crashes, and a health check tells the balancer. */
  killed: { signal: 'SIGKILL', leavesAfterMs: 700, delayMs: 0 },
  /** `aws ecs stop-task`: the signal comes before the balancer knows. */
  stopped: { signal: 'SIGTERM', leavesAfterMs: 300, delayMs: 60_000 },
  /** A deployment: the balancer sends it no request any more, and then the signal comes, after the whole delay at ECS. */
  replaced: { signal: 'SIGTERM', leavesAfterMs: -4_000, delayMs: 60_000 },
} as const satisfies Record<
  string,
  { signal: NodeJS.Signals /** From the signal on. */; leavesAfterMs: number; delayMs: number }
>;
export type Ending = keyof typeof endings;

/** Of the task definition's, but for where it is. */
const environmentOf = ({ environment }: InProcess) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^AWS_/.test(name))),
  POWERTOOLS_SERVICE_NAME: 'test',
  POWERTOOLS_METRICS_NAMESPACE: 'test',
  POWERTOOLS_METRICS_DISABLED: 'true',
  REGISTRY: 'ecr',
  REGISTRIES: environment.registries.join(','),
  REGISTRY_ID: environment.accounts.own,
  SECRET_ID: environment.secretId,
  POLICY_DIRECTORY: 'policies',
  BLOBS: 'stream',
  STOP_SECONDS: '60',
});

type Instance = Awaited<ReturnType<typeof startRegistry>>;

export type FleetOptions = {
  directory: string;
  /** How many there are, but for the moments in which one begins in another's place. */
  size: number;
  /** Of each instance, beside where everything is. */
  environment?: Readonly<Record<string, string>>;
};

export async function startFleet(stack: InProcess, { directory, size, environment = {} }: FleetOptions) {
  const image = join(directory, 'image');
  await mkdir(image, { recursive: true });
  writeBundle(image, serverBundle(checkedPolicies(policySource).files));
  const container = { directory: image, args: [join(image, serverFile)], environment };
  const balancer = await startLoadBalancer([], { idleMs: 60_000 });
  const instances: Instance[] = [];
  const leaving = new Set<Promise<void>>();

  async function begin(): Promise<void> {
    const logFile = join(directory, 'instances.log');
    const instance = await startRegistry({ port: 0, container, environment: environmentOf(stack), logFile });
    instances.push(instance);
    balancer.register(instance.url);
  }

  async function end(instance: Instance, ending: Ending): Promise<void> {
    const { signal, leavesAfterMs, delayMs } = endings[ending];
    const leave = async (afterMs: number) => {
      await sleep(Math.max(0, afterMs));
      balancer.deregister(instance.url, delayMs);
    };
    const kill = async (afterMs: number) => {
      await sleep(Math.max(0, afterMs));
      await instance.end(signal);
    };
    await Promise.all([leave(leavesAfterMs), kill(-leavesAfterMs)]);
  }

  for (let n = 0; n < size; n += 1) {
    await begin();
  }
  return {
    url: balancer.url,
    host: new URL(balancer.url).host,
    answered: balancer.answered,
    /** Of those that have not been told to end. */
    instances: (): readonly Pick<Instance, 'url' | 'processId'>[] => instances,
    logFile: join(directory, 'instances.log'),
    /** @param which of those that there are; another one takes its place */
    replace: async (which: number, ending: Ending) => {
      const [instance] = instances.splice(which % instances.length, 1);
      if (instance) {
        const ended = end(instance, ending).finally(() => leaving.delete(ended));
        leaving.add(ended);
      }
      await begin();
    },
    close: async () => {
      await Promise.all([...leaving, ...instances.map((instance) => instance.end('SIGKILL'))]);
      await balancer.close();
    },
  };
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>;
