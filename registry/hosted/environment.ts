// The hosted registry's configuration: the functions' environment and its own, read once and checked.

import { z } from 'zod';
import { everyRegistry } from '../../api/registries.ts';
import { readEnvironment } from '../../lambda/environment.ts';
import { blobModes } from './read-blobs.ts';

const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** Node.js's clocks take no longer time. */
const maxSeconds = 2_147_483;
const milliseconds = (usual: number) =>
  count(0, maxSeconds)
    .default(usual)
    .transform((seconds) => seconds * 1_000);

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const schema = z
  .object({
    /** In a container every address is the container's own. */
    HOST: z.string().default('0.0.0.0'),
    PORT: count(0, 65_535).default(8080),
    REGISTRY: z.enum(everyRegistry),
    HEALTH_PATH: z
      .string()
      .regex(/^\/(?!v2(?:\/|$))[\w/-]*$/, 'expected a path that is not below /v2/')
      .default('/healthz'),
    BLOBS: z.enum(blobModes).default('redirect'),
    MAX_UPLOADS: count(1, 10_000).default(24),
    MAX_UPLOADS_PER_CLIENT: count(1, 10_000).default(16),
    IDLE_SECONDS: milliseconds(120),
    KEEP_ALIVE_SECONDS: milliseconds(75),
    STOP_SECONDS: milliseconds(110),
    BEHIND_LOAD_BALANCER: flag,
    TASK_PROTECTION: flag,
    ECS_AGENT_URI: z.url({ protocol: /^http$/ }).optional(),
  })
  .refine(({ TASK_PROTECTION, ECS_AGENT_URI }) => !TASK_PROTECTION || ECS_AGENT_URI !== undefined, {
    path: ['ECS_AGENT_URI'],
    message: 'expected, as TASK_PROTECTION is true: Amazon ECS sets it',
  })
  .transform((variables) => ({
    host: variables.HOST,
    port: variables.PORT,
    /** All of `/v2/` is one registry. */
    registry: variables.REGISTRY,
    /** What a load balancer asks, without a token. */
    healthPath: variables.HEALTH_PATH,
    /** How clients get the bytes of blobs. */
    blobMode: variables.BLOBS,
    bounds: {
      uploads: variables.MAX_UPLOADS,
      uploadsPerClient: variables.MAX_UPLOADS_PER_CLIENT,
      idleMs: variables.IDLE_SECONDS,
      keepAliveMs: variables.KEEP_ALIVE_SECONDS,
    },
    /** How long uploads in progress may take to end after SIGTERM. */
    stopMs: variables.STOP_SECONDS,
    /** The client's address is the one that the load balancer has added to `X-Forwarded-For`. */
    behindLoadBalancer: variables.BEHIND_LOAD_BALANCER,
    /** Where to ask that the task is not ended while it has uploads. */
    agentUri: variables.TASK_PROTECTION ? variables.ECS_AGENT_URI : undefined,
  }));

export type HostedEnvironment = z.output<typeof schema>;

/** @throws ZodError naming each variable that is missing or ill-formed. */
export function readHostedEnvironment(variables: NodeJS.ProcessEnv) {
  const hosted = schema.parse(variables);
  const proxy = readEnvironment(variables);
  if (!proxy.registries.includes(hosted.registry)) {
    throw new Error(
      `REGISTRY is ${hosted.registry}: expected one of REGISTRIES, ${proxy.registries.join(',')}`,
    );
  }
  return { ...hosted, proxy };
}
