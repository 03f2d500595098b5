// Step 2, validate: an event becomes an operation's Input. The only reader of body and base64.

import middy from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import type { z } from 'zod';
import { ProxyError } from '../errors.ts';
import { type Members, type OperationName, operations } from '../operations.ts';
import { isRegistry, type Registry } from '../registries.ts';

/** What a request asks for, in ECR's member names. */
export type Input<Name extends OperationName> = {
  readonly operation: Name;
  readonly registry: Registry;
  readonly members: Members<Name>;
};

type RawMembers = Readonly<Record<string, unknown>>;
type Fault = { member: string; expected: string };

const invalid = (faults: readonly Fault[]) =>
  new ProxyError(
    'InvalidParameterException',
    faults.map(({ member, expected }) => `${member}: expected ${expected}`).join('; '),
    { members: { invalidMembers: faults } },
  );

// The parser puts the whole body into its error's cause: that error is dropped, never passed on.
const parseJson = middy<APIGatewayProxyEvent, unknown>(async (event: APIGatewayProxyEvent) => event.body).use(
  jsonBodyParser<APIGatewayProxyEvent>(),
);

const isObject = (value: unknown): value is RawMembers =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readJson = async (event: APIGatewayProxyEvent, context: Context): Promise<RawMembers> => {
  const body: unknown = await parseJson({ ...event }, context).catch(() => undefined);
  if (!isObject(body)) throw invalid([{ member: 'body', expected: 'a JSON object' }]);
  return body;
};

const contentRangePattern = /^bytes (\d{1,15})-(\d{1,15})\/(?:\*|\d{1,15})$/;

const readRawPart = async (event: APIGatewayProxyEvent): Promise<RawMembers> => {
  const [, first, last] = contentRangePattern.exec(event.headers['content-range'] ?? '') ?? [];
  if (event.body && !event.isBase64Encoded) throw new Error('API Gateway did not encode a binary body');
  const layerPartBlob = Buffer.from(event.body ?? '', 'base64');
  const faults: Fault[] = [];
  if (layerPartBlob.length === 0) faults.push({ member: 'body', expected: 'the bytes of the part' });
  if (last === undefined)
    faults.push({ member: 'Content-Range', expected: 'bytes FIRST-LAST/*, such as bytes 0-4194303/*' });
  if (faults.length > 0) throw invalid(faults);
  return { partFirstByte: Number(first), partLastByte: Number(last), layerPartBlob };
};

type BodyReader = (event: APIGatewayProxyEvent, context: Context) => Promise<RawMembers>;

const bodyReaders: Readonly<Record<string, BodyReader>> = {
  'application/json': readJson,
  'application/octet-stream': readRawPart,
};

const bodyReaderOf = (event: APIGatewayProxyEvent, rawBody: boolean): BodyReader => {
  const contentType = event.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const accepted = rawBody ? Object.keys(bodyReaders) : ['application/json'];
  const reader = accepted.includes(contentType) ? bodyReaders[contentType] : undefined;
  if (!reader) {
    throw new ProxyError('UnsupportedMediaTypeException', `Send Content-Type: ${accepted.join(' or ')}.`);
  }
  return reader;
};

/** The members from path, query and body as one; a member given twice must say the same both times. */
const gather = (event: APIGatewayProxyEvent, body: RawMembers): RawMembers => {
  const members: Record<string, unknown> = { ...body };
  const elsewhere = [
    ...Object.entries(event.pathParameters ?? {}),
    ...Object.entries(event.multiValueQueryStringParameters ?? {}).flatMap(([member, values]) =>
      (values ?? []).map((value): [string, string] => [member, value]),
    ),
  ];
  for (const [member, value] of elsewhere) {
    if (Object.hasOwn(members, member) && members[member] !== value) {
      throw invalid([{ member, expected: 'the same value wherever it is given' }]);
    }
    members[member] = value;
  }
  return members;
};

const faultsOf = (issue: z.core.$ZodIssue): Fault[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((member) => ({ member, expected: 'nothing: the operation has no such member' }))
    : [{ member: issue.path.join('.'), expected: issue.message }];

const registryOf = (event: APIGatewayProxyEvent): Registry => {
  const name = event.resource.split('/')[1];
  if (!isRegistry(name)) throw new Error(`a route without a registry: ${event.resource}`);
  return name;
};

/**
 * @throws UnsupportedMediaTypeException for a content type the operation does not take;
 *   InvalidParameterException naming every member that is wrong and what was expected of it.
 */
export const validate = async <Name extends OperationName>(
  event: APIGatewayProxyEvent,
  context: Context,
  operation: Name,
): Promise<Input<Name>> => {
  const registry = registryOf(event);
  const { input, rawBody } = operations[operation];
  const readBody = bodyReaderOf(event, rawBody);
  const parsed = input(registry).safeParse(gather(event, await readBody(event, context)));
  if (parsed.success) return { operation, registry, members: parsed.data };
  const faults = parsed.error.issues.flatMap(faultsOf);
  throw invalid([...new Map(faults.map((fault) => [fault.member, fault])).values()]);
};
