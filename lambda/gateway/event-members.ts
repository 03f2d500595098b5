// What a request at API Gateway says of its operation's members, in path, query and body. The only reader of base64.

import type { APIGatewayProxyEvent } from 'aws-lambda';
import { withoutByteOrderMark } from '../../api/byte-order-mark.ts';
import { maxBodyDepth, maxBodyStructuralCharacters, partSize } from '../../api/limits.ts';
import { type Call, operations } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { nestMembers, queryPairs } from '../../api/query.ts';
import { JsonFault, parseStrictJson } from '../../api/strict-json.ts';
import type { RawMembers } from '../incoming-call.ts';
import { type Fault, invalidMembers, memberNameOf } from '../invalid-members.ts';
import type { Api } from './api.ts';

type BodyReader = (event: APIGatewayProxyEvent) => RawMembers;

/** All text except the body, which is checked where it is parsed. */
function assertWellFormed(event: APIGatewayProxyEvent) {
  const { headers, pathParameters, multiValueQueryStringParameters } = event;
  for (const texts of [headers, pathParameters, multiValueQueryStringParameters]) {
    for (const [name, value] of Object.entries(texts ?? {})) {
      if ([name, value].flat().every((text) => text?.isWellFormed() ?? true)) {
        continue;
      }
      throw invalidMembers([{ member: memberNameOf(name), expected: 'well-formed Unicode' }]);
    }
  }
}

function assertSize({ body, isBase64Encoded }: APIGatewayProxyEvent, maxBytes: number) {
  const bytes = Buffer.byteLength(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  if (bytes > maxBytes) {
    throw invalidMembers([{ member: 'body', expected: `${maxBytes} bytes at most` }]);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What API Gateway puts in place of bytes that are not UTF-8, in a body that it passes on as text. */
const replacement = '\uFFFD';

/** A manifest may contain the character itself: its digest shows that it is unaltered. */
function assertUnaltered(text: string, { imageDigest }: RawMembers) {
  if (text.includes(replacement) && imageDigest === undefined) {
    throw new JsonFault('UTF-8; and where a manifest contains U+FFFD, its imageDigest as well');
  }
}

function textOf({ body, isBase64Encoded }: APIGatewayProxyEvent): string {
  if (!isBase64Encoded) {
    return body ?? '';
  }
  try {
    return utf8.decode(Buffer.from(body ?? '', 'base64'));
  } catch {
    throw new JsonFault('UTF-8');
  }
}

/** A member that is null counts as absent, as it does for AWS; an unknown one is still refused. */
const withoutNulls = (members: object): RawMembers =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, withoutNull(value)]));

function withoutNull(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value ?? undefined;
  }
  return Array.isArray(value)
    ? value.map((item: unknown) => (item === null ? null : withoutNull(item)))
    : withoutNulls(value);
}

const readJson: BodyReader = (event) => {
  try {
    const text = withoutByteOrderMark(textOf(event));
    const body = parseStrictJson(text, maxBodyDepth, maxBodyStructuralCharacters);
    assertUnaltered(text, body);
    return withoutNulls(body);
  } catch (error) {
    if (!(error instanceof JsonFault)) {
      throw error;
    }
    throw invalidMembers([{ member: 'body', expected: error.message }]);
  }
};

/** Source: RFC 9110, section 14.4; units are case-insensitive. */
const contentRangePattern = /^bytes (\d{1,15})-(\d{1,15})\/(?:\*|(\d{1,15}))$/i;

/**
 * A complete length may be left open. The last position must not lie before the first, nor the length before the last:
 * either makes the whole header invalid (RFC 9110, section 14.4).
 */
function positionsOf(contentRange = ''): { first: number; last: number } | undefined {
  const [, ...digits] = contentRangePattern.exec(contentRange) ?? [];
  const [first = Number.NaN, last = Number.NaN, length = Number.POSITIVE_INFINITY] = digits.map((one) =>
    one === undefined ? undefined : Number(one),
  );
  return first <= last && last < length ? { first, last } : undefined;
}

/** A header with two different values has none; API Gateway's single value would be the last one. */
function onlyValue(event: APIGatewayProxyEvent, name: string): string | undefined {
  const values = new Set(event.multiValueHeaders?.[name] ?? [event.headers[name]]);
  return values.size === 1 ? [...values][0] : undefined;
}

const octetStream = 'application/octet-stream';

const readRawPart: BodyReader = (event) => {
  const layerPartBlob = Buffer.from(event.body ?? '', 'base64');
  const positions = positionsOf(onlyValue(event, 'content-range'));
  const faults: Fault[] = [];
  if (layerPartBlob.length === 0) {
    faults.push({ member: 'body', expected: 'the bytes of the part' });
  }
  if (!positions) {
    faults.push({
      member: 'Content-Range',
      expected: `once bytes FIRST-LAST/*, such as bytes 0-${partSize - 1}/*, or with a length beyond LAST`,
    });
  }
  if (faults.length > 0 || !positions) {
    throw invalidMembers(faults);
  }
  return { partFirstByte: positions.first, partLastByte: positions.last, layerPartBlob };
};

const bodyReaders: Readonly<Record<string, BodyReader>> = {
  'application/json': readJson,
  'application/x-amz-json-1.1': readJson,
  [octetStream]: readRawPart,
};

const readNoBody: BodyReader = () => ({});

function bodyReaderOf(event: APIGatewayProxyEvent, accepted: readonly string[]): BodyReader {
  if (accepted.length === 0) {
    return readNoBody;
  }
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
}

/** What an operation accepts in a request. */
export type RequestRules = {
  /** None where it has no body. */
  readonly contentTypes: readonly string[];
  readonly maxBytes: number;
  /** The schemas of its members. */
  readonly shape: Parameters<typeof queryPairs>[0];
  readonly refusesUnknownMembers: boolean;
};

export const requestRules = ({ operation, registry }: Call, api: Api): RequestRules => ({
  contentTypes: api.contentTypes(operation),
  maxBytes: operations[operation].maxBodyBytes,
  shape: operations[operation].input(registry).shape,
  refusesUnknownMembers: api.refusesUnknownMembers,
});

/** With a JSON body, the AWS API ignores a query and the resource API refuses it. */
function queryBesideJson(query: object, { refusesUnknownMembers }: RequestRules) {
  const faults = Object.keys(query).map((member) => ({
    member: memberNameOf(member),
    expected: 'nothing in the query: the members are in the body',
  }));
  if (refusesUnknownMembers && faults.length > 0) {
    throw invalidMembers(faults);
  }
  return [];
}

/** The members from path, query and body as one; a member given twice must say the same both times. */
function gather(body: RawMembers, elsewhere: readonly (readonly [string, unknown])[]): RawMembers {
  const members = new Map(Object.entries(body));
  for (const [member, value] of elsewhere) {
    if (members.get(member) !== undefined && members.get(member) !== value) {
      throw invalidMembers([
        { member: memberNameOf(member), expected: 'the same value wherever it is given' },
      ]);
    }
    members.set(member, value);
  }
  // Unlike an assignment, this makes an own member of `__proto__` too.
  return Object.fromEntries(members);
}

/**
 * Sizes and counts are checked before anything is parsed. Decision 0007.
 *
 * @throws UnsupportedMediaTypeException for a content type that the operation does not take;
 *   InvalidParameterException for what cannot be read, or says two things of one member.
 */
export function readEventMembers(event: APIGatewayProxyEvent, rules: RequestRules): RawMembers {
  const readBody = bodyReaderOf(event, rules.contentTypes);
  assertSize(event, rules.maxBytes);
  assertWellFormed(event);
  const query = event.multiValueQueryStringParameters ?? {};
  const inQuery = readBody === readJson ? queryBesideJson(query, rules) : queryPairs(rules.shape, query);
  const gathered = gather(readBody(event), [...Object.entries(event.pathParameters ?? {}), ...inQuery]);
  return readBody === readJson ? gathered : nestMembers(rules.shape, gathered);
}
