// What a request at API Gateway says of its operation's members, in path, query and body. The only reader of base64.

import type { APIGatewayProxyEvent } from 'aws-lambda';
import { ProxyError } from '../api/errors.ts';
import { maxBodyDepth, maxBodyStructuralCharacters, partSize } from '../api/limits.ts';
import { JsonFault, parseStrictJson } from '../api/strict-json.ts';
import type { RawMembers } from './incoming-call.ts';
import { type Fault, invalidMembers, memberNameOf } from './invalid-members.ts';

type BodyReader = (event: APIGatewayProxyEvent) => RawMembers;

/** All text beside the body, whose own is seen to where it is parsed. */
const assertWellFormed = (event: APIGatewayProxyEvent) => {
  const { headers, pathParameters, multiValueQueryStringParameters } = event;
  for (const texts of [headers, pathParameters, multiValueQueryStringParameters]) {
    for (const [name, value] of Object.entries(texts ?? {})) {
      if ([name, value].flat().every((text) => text?.isWellFormed() ?? true)) continue;
      throw invalidMembers([{ member: memberNameOf(name), expected: 'well-formed Unicode' }]);
    }
  }
};

const assertSize = ({ body, isBase64Encoded }: APIGatewayProxyEvent, maxBytes: number) => {
  const bytes = Buffer.byteLength(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  if (bytes > maxBytes) throw invalidMembers([{ member: 'body', expected: `${maxBytes} bytes at most` }]);
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
    // A member that is null is absent, as it is to AWS.
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  } catch (failure) {
    if (!(failure instanceof JsonFault)) throw failure;
    throw invalidMembers([{ member: 'body', expected: failure.message }]);
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
      expected: `bytes FIRST-LAST/*, such as bytes 0-${partSize - 1}/*, or with a length beyond LAST`,
    });
  }
  if (faults.length > 0 || !positions) throw invalidMembers(faults);
  return { partFirstByte: positions.first, partLastByte: positions.last, layerPartBlob };
};

const bodyReaders: Readonly<Record<string, BodyReader>> = {
  'application/json': readJson,
  'application/x-amz-json-1.1': readJson,
  [octetStream]: readRawPart,
};

const bodyReaderOf = (event: APIGatewayProxyEvent, accepted: readonly string[]): BodyReader => {
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

/** The members from path, query and body as one; a member given twice must say the same both times. */
const gather = (event: APIGatewayProxyEvent, body: RawMembers): RawMembers => {
  const members = new Map(Object.entries(body));
  const elsewhere = [
    ...Object.entries(event.pathParameters ?? {}),
    ...Object.entries(event.multiValueQueryStringParameters ?? {}).flatMap(([member, values]) =>
      (values ?? []).map((value): [string, string] => [member, value]),
    ),
  ];
  for (const [member, value] of elsewhere) {
    if (members.has(member) && members.get(member) !== value) {
      throw invalidMembers([
        { member: memberNameOf(member), expected: 'the same value wherever it is given' },
      ]);
    }
    members.set(member, value);
  }
  // Unlike an assignment, this makes a member of its own of `__proto__` too.
  return Object.fromEntries(members);
};

/** What of a body an operation takes. */
export type BodyRules = { readonly contentTypes: readonly string[]; readonly maxBytes: number };

/**
 * Sizes and counts are seen to before anything is parsed. Decision 0007.
 *
 * @throws UnsupportedMediaTypeException for a content type that the operation does not take;
 *   InvalidParameterException for what cannot be read, or says two things of one member.
 */
export const readEventMembers = (
  event: APIGatewayProxyEvent,
  { contentTypes, maxBytes }: BodyRules,
): RawMembers => {
  const readBody = bodyReaderOf(event, contentTypes);
  assertSize(event, maxBytes);
  assertWellFormed(event);
  return gather(event, readBody(event));
};
