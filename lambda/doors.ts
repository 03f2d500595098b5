// The two doors: how each finds the operation a request asks for, and how each writes its answers.

import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { awsFormOf } from '../api/aws-form.ts';
import { errors } from '../api/errors.ts';
import { maxErrorBytes } from '../api/limits.ts';
import {
  type Call,
  isOffered,
  isOperationName,
  type OperationName,
  operations,
  operationsOf,
} from '../api/operations.ts';
import { problemOf, problemType } from '../api/problem-document.ts';
import { headersOf, ProxyError } from '../api/proxy-error.ts';
import { isRegistry, type Registry, registries } from '../api/registries.ts';
import { epochSeconds, isoText, type TimeForm, writeOutput } from '../api/wire.ts';
import { assertFits } from './answer-size.ts';
import { bounded } from './telemetry/bounded.ts';

/** What a step needs to know of the door. */
export type Door = {
  /** @throws UnknownOperationException when the request asks for nothing that is offered here. */
  find(event: APIGatewayProxyEvent): Call;
  /** The content types that an operation's body may have; none where it has no body. */
  contentTypes(operation: OperationName): readonly string[];
  /** Whether a member that the operation does not have is an error, or passed over as AWS does. */
  refusesUnknownMembers: boolean;
  writeOutput(operation: OperationName, output: object): APIGatewayProxyResult;
  writeError(error: ProxyError, requestId: string): APIGatewayProxyResult;
};

const json = 'application/json';
const octetStream = 'application/octet-stream';
const amzJson = 'application/x-amz-json-1.1';

const write = (
  statusCode: number,
  contentType: string,
  body: string,
  headers: Record<string, string> = {},
) => ({
  statusCode,
  headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store', ...headers },
  body,
});

/** @throws ServerException when the registry's answer is not what its operation's row says */
function outputText(operation: OperationName, output: object, timeForm: TimeForm): string {
  try {
    return writeOutput(operations[operation].output, output, timeForm);
  } catch (error) {
    throw new ProxyError('ServerException', undefined, { cause: error });
  }
}

const errorText = (members: Record<string, unknown>): string =>
  JSON.stringify(bounded(members, maxErrorBytes));

/** @throws InvalidParameterException where it does not fit, besides */
function writeFitting(
  operation: OperationName,
  output: object,
  writeOutput: (output: object) => APIGatewayProxyResult,
): APIGatewayProxyResult {
  assertFits(operation, output, writeOutput);
  return writeOutput(output);
}

function registryOf(event: APIGatewayProxyEvent): Registry {
  const name = event.resource.split('/')[1];
  if (!isRegistry(name)) {
    throw new Error(`a route without a registry: ${event.resource}`);
  }
  return name;
}

/** What is no operation's output, in the resource API. */
export const writeJson = (status: number, output: object): APIGatewayProxyResult =>
  write(status, json, JSON.stringify(output));

/** An error of the resource API. */
export function writeProblem(error: ProxyError, requestId: string): APIGatewayProxyResult {
  const problem = problemOf(error, requestId);
  return write(errors[error.code].status, problemType, errorText(problem), headersOf(error));
}

/** Door 1: an operation is a route below `/{registry}`, an error is a problem document (RFC 9457). */
export const resourceDoor = (operation: OperationName): Door => ({
  find: (event) => ({ operation, registry: registryOf(event) }),
  contentTypes: (name) => {
    const { method, rawBody } = operations[name];
    if (method === 'GET') {
      return [];
    }
    return rawBody ? [json, octetStream] : [json];
  },
  refusesUnknownMembers: true,
  writeOutput: (name, output) =>
    writeFitting(name, output, (one) => write(operations[name].status, json, outputText(name, one, isoText))),
  writeError: writeProblem,
});

/** What to do instead of an operation of ECR's that clients are used to. */
const insteadOf = new Map([
  [
    'GetAuthorizationToken',
    'GetAuthorizationToken is not among its operations: it hands out no ECR credentials, and nobody needs any. ' +
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
 * JavaScript v2 does not, and AWSSDK.Core 4.1 for .NET not all of them: what they lose is in docs/aws-clients.md.
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
 * Door 2: ECR's own wire, AWS JSON 1.1 at `POST /`, for unmodified AWS SDKs. API Gateway adds
 * `x-amzn-RequestId` to every answer. There is no `Retry-After`, as ECR sends none: SDKs have paces of their own.
 *
 * @param configured the registries of the stack's configuration
 */
export const awsDoor = (configured: readonly Registry[]): Door => ({
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
    writeFitting(name, output, (one) => write(200, amzJson, outputText(name, one, epochSeconds))),
  writeError: (error) => {
    const { type, status, message } = awsFormOf(error);
    return write(status, amzJson, errorText({ __type: type, message, ...error.members }));
  },
});
