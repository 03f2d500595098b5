// The resource API: an operation is a route below `/{registry}`, an error is a problem document (RFC 9457).

import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { errors } from '../../api/errors.ts';
import { type OperationName, operations } from '../../api/operations.ts';
import { problemOf, problemType } from '../../api/problem-document.ts';
import { headersOf, type ProxyError } from '../../api/proxy-error.ts';
import { isRegistry, type Registry } from '../../api/registries.ts';
import { isoText } from '../../api/wire.ts';
import { type Api, errorText, writeAnswer, writeOperation } from './api.ts';

const json = 'application/json';
const octetStream = 'application/octet-stream';

function registryOf(event: APIGatewayProxyEvent): Registry {
  const name = event.resource.split('/')[1];
  if (!isRegistry(name)) {
    throw new Error(`a route without a registry: ${event.resource}`);
  }
  return name;
}

/** An answer that is not an operation's output. */
export const writeJson = (status: number, output: object): APIGatewayProxyResult =>
  writeAnswer(status, json, JSON.stringify(output));

/** An error as a problem document. */
export function writeProblem(error: ProxyError, requestId: string): APIGatewayProxyResult {
  const problem = errorText(problemOf(error, requestId));
  return writeAnswer(errors[error.code].status, problemType, problem, headersOf(error));
}

/** @param operation the one that the function serves */
export const resourceApi = (operation: OperationName): Api => ({
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
    writeOperation(name, output, {
      status: operations[name].status,
      contentType: json,
      timeForm: isoText,
    }),
  writeError: writeProblem,
});
