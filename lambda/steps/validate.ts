// Step 2, validate: an event becomes an operation's Input. The only reader of body and base64.

import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { z } from 'zod';
import { ProxyError } from '../../api/errors.ts';
import { maxBodyDepth, maxBodyStructuralCharacters, maxFaults } from '../../api/limits.ts';
import { type Call, type Members, type OperationName, operations } from '../../api/operations.ts';
import { queryPairs } from '../../api/query.ts';
import { JsonFault, parseStrictJson } from '../../api/strict-json.ts';
import type { Door } from '../doors.ts';

/** What a request asks for, in ECR's member names. */
export type Input<Name extends OperationName> = Call<Name> & { readonly members: Members<Name> };

type RawMembers = Readonly<Record<string, unknown>>;
type Fault = { member: string; expected: string };
type BodyReader = (event: APIGatewayProxyEvent) => RawMembers;

/** What is named like a member of ECR's. Any other name may be anything, and faults are logged: a token, say. */
const memberName = /^[A-Za-z]{1,40}$/;
const nameOf = (member: string) => (memberName.test(member) ? member : '(another member)');

const invalid = (faults: readonly Fault[]) => {
  const invalidMembers = faults.slice(0, maxFaults);
  const sentences = invalidMembers.map(({ member, expected }) => `${member}: expected ${expected}`);
  if (faults.length > maxFaults) sentences.push(`and ${faults.length - maxFaults} more`);
  return new ProxyError('InvalidParameterException', sentences.join('; '), { members: { invalidMembers } });
};

/** All text beside the body, whose own is seen to where it is parsed. */
const assertWellFormed = (event: APIGatewayProxyEvent) => {
  const { headers, pathParameters, multiValueQueryStringParameters } = event;
  for (const texts of [headers, pathParameters, multiValueQueryStringParameters]) {
    for (const [name, value] of Object.entries(texts ?? {})) {
      if ([name, value].flat().every((text) => text?.isWellFormed() ?? true)) continue;
      throw invalid([{ member: nameOf(name), expected: 'well-formed Unicode' }]);
    }
  }
};

const assertSize = ({ body, isBase64Encoded }: APIGatewayProxyEvent, maxBytes: number) => {
  const bytes = Buffer.byteLength(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  if (bytes > maxBytes) throw invalid([{ member: 'body', expected: `${maxBytes} bytes at most` }]);
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const textOf = ({ body, isBase64Encoded }: APIGatewayProxyEvent): string => {
  if (!isBase64Encoded) return body ?? '';
  try {
    return utf8.decode(Buffer.from(body ?? '', 'base64'));
  } catch {
    throw new JsonFault('UTF-8');
  }
};

const readJson: BodyReader = (event) => {
  try {
    const body = parseStrictJson(textOf(event), maxBodyDepth, maxBodyStructuralCharacters);
    // A member that is null is absent, as it is to AWS; but it is still a member that is given.
    return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, value ?? undefined]));
  } catch (failure) {
    if (!(failure instanceof JsonFault)) throw failure;
    throw invalid([{ member: 'body', expected: failure.message }]);
  }
};

/** Source: RFC 9110, section 14.4; units are case-insensitive. */
const contentRangePattern = /^bytes (\d{1,15})-(\d{1,15})\/(?:\*|(\d{1,15}))$/i;

/** A complete length may be left open, but must not lie before the last byte. */
const positionsOf = (contentRange = ''): { first: number; last: number } | undefined => {
  const [, first, last, length] = contentRangePattern.exec(contentRange) ?? [];
  if (length !== undefined && Number(length) <= Number(last)) return undefined;
  return last === undefined ? undefined : { first: Number(first), last: Number(last) };
};

const octetStream = 'application/octet-stream';

const readRawPart: BodyReader = ({ headers, body }) => {
  const layerPartBlob = Buffer.from(body ?? '', 'base64');
  const positions = positionsOf(headers['content-range']);
  const faults: Fault[] = [];
  if (layerPartBlob.length === 0) faults.push({ member: 'body', expected: 'the bytes of the part' });
  if (!positions) {
    faults.push({
      member: 'Content-Range',
      expected: 'bytes FIRST-LAST/*, such as bytes 0-4194303/*, or with a length beyond LAST',
    });
  }
  if (faults.length > 0 || !positions) throw invalid(faults);
  return { partFirstByte: positions.first, partLastByte: positions.last, layerPartBlob };
};

const bodyReaders: Readonly<Record<string, BodyReader>> = {
  'application/json': readJson,
  'application/x-amz-json-1.1': readJson,
  [octetStream]: readRawPart,
};

const readNoBody: BodyReader = () => ({});

const bodyReaderOf = (event: APIGatewayProxyEvent, accepted: readonly string[]): BodyReader => {
  if (accepted.length === 0) return readNoBody;
  const contentType = event.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const reader = accepted.includes(contentType) ? bodyReaders[contentType] : undefined;
  if (!reader) {
    throw new ProxyError('UnsupportedMediaTypeException', `Send Content-Type: ${accepted.join(' or ')}.`);
  }
  // API Gateway compares the type letter by letter with those that it passes on as bytes.
  if (reader === readRawPart && event.body && !event.isBase64Encoded) {
    throw new ProxyError(
      'UnsupportedMediaTypeException',
      `Send Content-Type: ${octetStream}, in lower case: otherwise the bytes do not arrive as they are.`,
    );
  }
  return reader;
};

/** Beside a body in JSON there is no query: AWS passes it over, and door 1 refuses it. */
const queryBesideJson = ({ multiValueQueryStringParameters }: APIGatewayProxyEvent, door: Door) => {
  const faults = Object.keys(multiValueQueryStringParameters ?? {}).map((member) => ({
    member: nameOf(member),
    expected: 'nothing in the query: the members are in the body',
  }));
  if (door.refusesUnknownMembers && faults.length > 0) throw invalid(faults);
  return [];
};

/** The members from path, query and body as one; a member given twice must say the same both times. */
const gather = (
  event: APIGatewayProxyEvent,
  query: readonly [string, unknown][],
  body: RawMembers,
): RawMembers => {
  const members = new Map(Object.entries(body));
  const elsewhere = [...Object.entries(event.pathParameters ?? {}), ...query];
  for (const [member, value] of elsewhere) {
    if (members.get(member) !== undefined && members.get(member) !== value) {
      throw invalid([{ member: nameOf(member), expected: 'the same value wherever it is given' }]);
    }
    members.set(member, value);
  }
  // Unlike an assignment, this makes a member of its own of `__proto__` too.
  return Object.fromEntries(members);
};

const unknownMembers = (members: RawMembers, known: Readonly<Record<string, unknown>>): Fault[] =>
  Object.keys(members)
    .filter((member) => !Object.hasOwn(known, member))
    .map((member) => ({
      member: nameOf(member),
      expected: 'nothing: the operation has no such member',
    }));

const faultsOf = (error: z.ZodError | undefined): Fault[] =>
  (error?.issues ?? []).map(({ path, message }) => ({ member: path.join('.'), expected: message }));

/**
 * Sizes and counts are seen to before anything is parsed, and what is parsed before any schema or pattern.
 *
 * @throws UnsupportedMediaTypeException for a content type the operation does not take;
 *   InvalidParameterException naming the first members that are wrong and what was expected of each.
 */
export const validate = <Name extends OperationName>(
  event: APIGatewayProxyEvent,
  door: Door,
  call: Call<Name>,
): Input<Name> => {
  const { operation, registry } = call;
  const { maxBodyBytes, input } = operations[operation];
  const readBody = bodyReaderOf(event, door.contentTypes(operation));
  assertSize(event, maxBodyBytes);
  assertWellFormed(event);
  const schema = input(registry);
  const query =
    readBody === readJson
      ? queryBesideJson(event, door)
      : queryPairs(schema.shape, event.multiValueQueryStringParameters ?? {});
  const members = gather(event, query, readBody(event));
  const { data, error } = schema.safeParse(members);
  const unknown = door.refusesUnknownMembers ? unknownMembers(members, schema.shape) : [];
  const faults = [...faultsOf(error), ...unknown];
  if (data !== undefined && faults.length === 0) return { ...call, members: data };
  throw invalid([...new Map(faults.map((fault) => [fault.member, fault])).values()]);
};
