// The registry endpoint's container, as the task definition has it, with the folder of its image.

import { join, posix } from 'node:path';
import { z } from 'zod';
import type { Resolve } from '../template/intrinsics.ts';
import { imageDirectory } from './image.ts';

export type Container = {
  /** What the image holds: the container's working directory. */
  directory: string;
  /** What Node.js is run with. */
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
};

const container = z.object({
  Image: z.unknown(),
  EntryPoint: z.tuple([z.string().endsWith('/node')]),
  Command: z.array(z.string()),
  WorkingDirectory: z.string(),
  Environment: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  PortMappings: z.tuple([z.object({ ContainerPort: z.number() })]),
});

export const taskDefinition = z.object({ ContainerDefinitions: z.tuple([container]) });

/** @throws Error for an image that is none of this machine's, and for a port at which the server does not listen */
export function readContainer(
  { ContainerDefinitions: [definition] }: z.output<typeof taskDefinition>,
  resolve: Resolve,
  cdkOut: string,
): Container {
  const image = resolve(definition.Image);
  const digest = /@sha256:(?<digest>[0-9a-f]{64})$/.exec(image)?.groups?.digest;
  if (digest === undefined) {
    throw new Error(`not an image by its digest: ${image}`);
  }
  const environment = Object.fromEntries(
    definition.Environment.map(({ Name, Value }) => [Name, resolve(Value)]),
  );
  const [{ ContainerPort: port }] = definition.PortMappings;
  if (environment.PORT !== String(port)) {
    throw new Error(`the task's port is ${port}, and the server listens at ${environment.PORT}`);
  }
  const directory = imageDirectory(cdkOut, digest);
  const inImage = (path: string) => posix.relative(definition.WorkingDirectory, path);
  return { directory, args: definition.Command.map((path) => join(directory, inImage(path))), environment };
}
