// The two ECR registries, private and public: how they differ on the wire and in their limits.

/** The operations this stand-in models; every other one is refused by name. */
export const operationNames = [
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'BatchCheckLayerAvailability',
  'PutImage',
  'BatchGetImage',
  'ListImages',
  'ListImageReferrers',
  'GetDownloadUrlForLayer',
] as const;

/** Those that the service model of ECR Public does not have. */
const privateOnly: readonly OperationName[] = [
  'BatchGetImage',
  'ListImages',
  'ListImageReferrers',
  'GetDownloadUrlForLayer',
];

export type OperationName = (typeof operationNames)[number];
export type RegistryName = 'ecr' | 'ecr-public';

/** One call's address, as `X-Amz-Target` gives it. */
export type Call = { readonly registry: RegistryName; readonly operation: OperationName };

export type RegistryRules = {
  /** What stands before the dot of `X-Amz-Target`. */
  readonly targetPrefix: string;
  readonly registryId: { readonly pattern: RegExp; readonly minLength: number; readonly maxLength: number };
  readonly repositoryName: {
    readonly pattern: RegExp;
    readonly minLength: number;
    readonly maxLength: number;
  };
  /** Quota "maximum number of layer parts". */
  readonly maxLayerParts: number;
  /** The regions that have an endpoint, where they are few enough to list. */
  readonly regions?: readonly string[];
};

/**
 * Patterns, lengths and prefixes are the service models' (botocore `ecr/2015-09-21`, `ecr-public/2020-10-30`);
 * part counts are the quota pages' (docs.aws.amazon.com, AmazonECR service-quotas and public-service-quotas);
 * the public regions are those of "Amazon ECR Public endpoints and quotas". The quota of bytes in a layer
 * (52,000 and 10,000 MiB) cannot be passed with that many parts of at most 10 MiB, so nothing checks it.
 */
export const registries = {
  ecr: {
    targetPrefix: 'AmazonEC2ContainerRegistry_V20150921',
    registryId: { pattern: /^[0-9]{12}$/, minLength: 12, maxLength: 12 },
    repositoryName: {
      pattern: /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/,
      minLength: 2,
      maxLength: 256,
    },
    maxLayerParts: 4_200,
  },
  'ecr-public': {
    targetPrefix: 'SpencerFrontendService',
    // An account id or an alias: the model bounds its length alone.
    registryId: { pattern: /^.*$/s, minLength: 2, maxLength: 50 },
    repositoryName: {
      pattern: /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
      minLength: 2,
      maxLength: 205,
    },
    maxLayerParts: 1_000,
    regions: ['us-east-1', 'us-west-2'],
  },
} as const satisfies Record<RegistryName, RegistryRules>;

export const registryNames: readonly RegistryName[] = ['ecr', 'ecr-public'];

/** Every call that the two services know, of those modelled. */
export const calls: readonly Call[] = registryNames.flatMap((registry) =>
  operationNames
    .filter((operation) => registry === 'ecr' || !privateOnly.includes(operation))
    .map((operation) => ({ registry, operation })),
);
