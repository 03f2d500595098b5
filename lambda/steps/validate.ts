// Step 2, validate: an event becomes an operation's Input. The only reader of body and base64.

import middy from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import type { z } from 'zod';
import type { Door } from '../doors.ts';
import { ProxyError } from '../errors.ts';
import { type Call, type Members, type OperationName, operations } from '../operations.ts';

/** What a request asks for, in ECR's member names. */
export type Input<Name extends OperationName> = Call<Name> & { readonly members: Members<Name> };

type RawMembers = Readonly<Record<string, unknown>>;
type Fault = { member: string; expected: string };

const invalid = (faults: readonly Fault[]) =>
  new ProxyError(
    'InvalidParameterException',
    faults.map(({ member, expected }) => `${member}: expected ${expected}`).join('; '),
    { members: { invalidMembers: faults } },
  );

// The door has judged the content type, and the parser knows nothing of x-amz-json. Its types lack the option.
const parserOptions = { disableContentTypeCheck: true, disableContentTypeError: true };

// The parser puts the whole body into its error's cause: that error is dropped, never passed on.
const parseJson = middy<APIGatewayProxyEvent, unknown>(async (event: APIGatewayProxyEvent) => event.body).use(
  jsonBodyParser<APIGatewayProxyEvent>(parserOptions),
);

const isObject = (value: unknown): value is RawMembers =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readJson = async (event: APIGatewayProxyEvent, context: Context): Promise<RawMembers> => {
  const body: unknown = await parseJson({ ...event }, context).catch(() => undefined);
  if (!isObject(body)) throw invalid([{ member: 'body', expected: 'a JSON object' }]);
  // A member that is null is absent, as it is to AWS.
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
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
  'application/x-amz-json-1.1': readJson,
  'application/octet-stream': readRawPart,
};

const bodyReaderOf = (event: APIGatewayProxyEvent, accepted: readonly string[]): BodyReader => {
  const contentType = event.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
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

/** What is named like a member of ECR's. Any other name may be anything, and faults are logged: a token, say. */
const memberName = /^[A-Za-z]{1,40}$/;

const unknownMembers = (members: RawMembers, known: Readonly<Record<string, unknown>>): Fault[] =>
  Object.keys(members)
    .filter((member) => !Object.hasOwn(known, member))
    .map((member) => ({
      member: memberName.test(member) ? member : '(another member)',
      expected: 'nothing: the operation has no such member',
    }));

const faultsOf = (error: z.ZodError | undefined): Fault[] =>
  (error?.issues ?? []).map(({ path, message }) => ({ member: path.join('.'), expected: message }));

/**
 * @throws UnsupportedMediaTypeException for a content type the operation does not take;
 *   InvalidParameterException naming every member that is wrong and what was expected of it.
 */
export const validate = async <Name extends OperationName>(
  event: APIGatewayProxyEvent,
  context: Context,
  door: Door,
  call: Call<Name>,
): Promise<Input<Name>> => {
  const { operation, registry } = call;
  const readBody = bodyReaderOf(event, door.contentTypes(operation));
  const members = gather(event, await readBody(event, context));
  const schema = operations[operation].input(registry);
  const { data, error } = schema.safeParse(members);
  const unknown = door.refusesUnknownMembers ? unknownMembers(members, schema.shape) : [];
  const faults = [...faultsOf(error), ...unknown];
  if (data !== undefined && faults.length === 0) return { ...call, members: data };
  throw invalid([...new Map(faults.map((fault) => [fault.member, fault])).values()]);
};
