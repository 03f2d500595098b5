// The two ECR services a request can name, as one table: what differs between private and public ECR.

import { maxEcrPartBytes } from './limits.ts';

const MiB = 1_048_576;

export type Registry = keyof typeof registries;

/** What one ECR service asks of its inputs. Sources: the API references of Amazon ECR and Amazon ECR Public. */
export type RegistryRow = {
  title: string;
  /** The service's prefix in `X-Amz-Target`. */
  targetPrefix: string;
  repositoryName: { pattern: RegExp; minLength: number; maxLength: number };
  registryId: { pattern: RegExp; expected: string };
  /** The parts one layer may have, each of two parts of the client's joined. */
  maxParts: number;
  /** The largest layer that there can be. Source: the service's quotas, "Layer parts", and "Maximum layer size". */
  largestLayerBytes: number;
};

const accountId = /^[0-9]{12}$/;

export const registries = {
  ecr: {
    title: 'Amazon ECR',
    targetPrefix: 'AmazonEC2ContainerRegistry_V20150921',
    repositoryName: {
      pattern: /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
      minLength: 2,
      maxLength: 256,
    },
    registryId: { pattern: accountId, expected: 'an AWS account id of 12 digits' },
    maxParts: 4_200,
    largestLayerBytes: 52_000 * MiB,
  },
  'ecr-public': {
    title: 'Amazon ECR Public',
    targetPrefix: 'SpencerFrontendService',
    repositoryName: {
      pattern: /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
      minLength: 2,
      maxLength: 205,
    },
    registryId: {
      pattern: /^(?:[0-9]{12}|[a-z][a-z0-9]+(?:[._-][a-z0-9]+)*)$/,
      expected: 'an AWS account id or a registry alias of 2 to 50 characters',
    },
    maxParts: 1_000,
    largestLayerBytes: 10_000 * MiB,
  },
} as const satisfies Record<string, RegistryRow>;

export const everyRegistry = ['ecr', 'ecr-public'] as const satisfies readonly Registry[];

/** What differs between the two, made when it is first asked for, and once: a schema is dear to make. */
export function byRegistry<Value>(make: (registry: Registry) => Value): (registry: Registry) => Value {
  const made = new Map<Registry, Value>();
  return (registry) => {
    const value = made.get(registry) ?? make(registry);
    made.set(registry, value);
    return value;
  };
}

/** Whose registries a request may name. */
export type Accounts = {
  /** Whose registry is meant when a request names none. */
  readonly own: string;
  readonly others: readonly string[];
  /** Of the own account, at ECR Public; those of others are unknown here, and with them what a policy would say. */
  readonly aliases: readonly string[];
};

/** The account that a request speaks of; undefined where it is none of those that may be named. */
export const accountOf = (
  registryId: string | undefined,
  { own, others, aliases }: Accounts,
): string | undefined =>
  registryId === undefined || aliases.includes(registryId)
    ? own
    : [own, ...others].find((account) => account === registryId);

export const isRegistry = (name: string | undefined): name is Registry =>
  name !== undefined && Object.hasOwn(registries, name);

/** The largest layer that fits into a registry's parts when they are joined pairs of `partSize` bytes, in bytes. */
export const maxLayerBytes = (registry: Registry, partSize: number): number =>
  registries[registry].maxParts * 2 * partSize;

/**
 * Where no part can begin that goes to ECR as it comes ({@link maxDirectLayerBytes}), and that is still a place in a
 * layer: ECR has no operation for the position of an upload, but says it when it refuses a byte there.
 */
export const probeByte = (registry: Registry): number => registries[registry].largestLayerBytes - 1;

/** The largest layer whose parts go to ECR as they come: what its parts hold, and less than ends at the probe. */
export const maxDirectLayerBytes = (registry: Registry): number =>
  Math.min(registries[registry].maxParts * maxEcrPartBytes, probeByte(registry) - 1);
