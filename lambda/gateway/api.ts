// What the two APIs of the REST API have in common: how they are described, and how an answer is written.

import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { maxErrorBytes } from '../../api/limits.ts';
import { type Call, type OperationName, operations } from '../../api/operations.ts';
import type { ProxyError } from '../../api/proxy-error.ts';
import { type TimeForm, writeOutput } from '../../api/wire.ts';
import { bounded } from '../telemetry/bounded.ts';
import { assertFits } from './answer-size.ts';

/** How requests come in and answers go out at one API; the steps between are the same for both. */
export type Api = {
  /** @throws UnknownOperationException when the request asks for nothing that is offered here. */
  find(event: APIGatewayProxyEvent): Call;
  /** The content types that an operation's body may have; none where it has no body. */
  contentTypes(operation: OperationName): readonly string[];
  /** Whether a member that the operation does not have is an error, or ignored as AWS does. */
  refusesUnknownMembers: boolean;
  writeOutput(operation: OperationName, output: object): APIGatewayProxyResult;
  writeError(error: ProxyError, requestId: string): APIGatewayProxyResult;
};

export const writeAnswer = (
  statusCode: number,
  contentType: string,
  body: string,
  headers: Record<string, string> = {},
) => ({
  statusCode,
  headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store', ...headers },
  body,
});

/** An error's members as JSON, cut to the size that an error may have. */
export const errorText = (members: Record<string, unknown>): string =>
  JSON.stringify(bounded(members, maxErrorBytes));

/**
 * The answer to an operation, in an API's content type and form of times.
 *
 * @throws InvalidParameterException when it is larger than Lambda returns
 */
export function writeOperation(
  operation: OperationName,
  output: object,
  { status, contentType, timeForm }: { status: number; contentType: string; timeForm: TimeForm },
): APIGatewayProxyResult {
  const write = (members: object) =>
    writeAnswer(status, contentType, writeOutput(operations[operation].output, members, timeForm));
  assertFits(operation, output, write);
  return write(output);
}
