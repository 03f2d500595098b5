// The AWS API: ECR's own protocol, AWS JSON 1.1 at `POST /`, for unmodified AWS SDKs.

import { awsFormOf } from '../../api/aws-form.ts';
import { isOffered, isOperationName, operationsOf } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { isRegistry, type Registry, registries } from '../../api/registries.ts';
import { epochSeconds } from '../../api/wire.ts';
import { type Api, errorText, writeAnswer, writeOperation } from './api.ts';

const amzJson = 'application/x-amz-json-1.1';

/** What to do instead of an operation of ECR's that clients are used to. */
const insteadOf = new Map([
  [
    'GetAuthorizationToken',
    'GetAuthorizationToken is not among its operations: it gives out no ECR credentials, and clients need none. ' +
      'Clients push with their own token, through this API or the registry bridge.',
  ],
]);

const registryOfTargetPrefix = new Map<string, Registry>(
  Object.entries(registries).flatMap(([name, { targetPrefix }]) =>
    isRegistry(name) ? [[targetPrefix, name] as const] : [],
  ),
);

/**
 * AWS SDKs count their attempts: `attempt=2; max=3`. Source: AWS SDKs and Tools, "Retry behavior". The SDK for
 * JavaScript v2 does not, and AWSSDK.Core 4.1 for .NET does not count all: docs/aws-clients.md says what that costs.
 */
const repeated = /\battempt=(?!1\b)\d/;

function unknownOperation(
  registry: Registry | undefined,
  operation: string,
  configured: readonly Registry[],
) {
  const isServed = registry !== undefined && configured.includes(registry);
  const offered = operationsOf(isServed ? [registry] : configured);
  return new ProxyError(
    'UnknownOperationException',
    `${reasonOf(registry, operation, configured)} This proxy offers ${offered.join(', ')}.`,
  );
}

function reasonOf(registry: Registry | undefined, operation: string, configured: readonly Registry[]) {
  if (registry && !configured.includes(registry)) {
    return `This proxy serves ${configured.join(' and ')}, and is not configured for ${registry}.`;
  }
  if (registry && isOperationName(operation)) {
    return `${registries[registry].title}’s API has no ${operation}.`;
  }
  return insteadOf.get(operation) ?? 'X-Amz-Target names no operation of this proxy.';
}

/**
 * API Gateway adds `x-amzn-RequestId` to every answer. There is no `Retry-After`, as ECR sends none: SDKs choose
 * their own delays.
 *
 * @param configured the registries of the stack's configuration
 */
export const awsApi = (configured: readonly Registry[]): Api => ({
  find: ({ headers }) => {
    const [, prefix = '', operation = ''] = /^([^.]+)\.([^.]+)$/.exec(headers['x-amz-target'] ?? '') ?? [];
    const registry = registryOfTargetPrefix.get(prefix);
    const call = registry && isOperationName(operation) ? { operation, registry } : undefined;
    if (call && configured.includes(call.registry) && isOffered(call)) {
      return { ...call, isRepeated: repeated.test(headers['amz-sdk-request'] ?? '') };
    }
    throw unknownOperation(registry, operation, configured);
  },
  contentTypes: () => [amzJson],
  refusesUnknownMembers: false,
  writeOutput: (name, output) =>
    writeOperation(name, output, { status: 200, contentType: amzJson, timeForm: epochSeconds }),
  writeError: (error) => {
    const { type, status, message } = awsFormOf(error);
    return writeAnswer(status, amzJson, errorText({ __type: type, message, ...error.members }));
  },
});
