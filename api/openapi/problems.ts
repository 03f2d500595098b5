// The problem documents of door 1: one schema per row of the error table, and the answers that may hold them.

import { type ErrorCode, type ErrorRow, errors } from '../errors.ts';
import { gatewayCodes, gatewayRefusals } from './gateway-refusals.ts';

const text = { type: 'string' };

/** The members that every problem document has (RFC 9457), and ours. */
export const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: text,
    status: { type: 'integer' },
    detail: { type: 'string', description: 'For people: what is wrong, and what to do.' },
    code: { type: 'string', description: 'The name of ECR’s exception, or of AWS’s common error.' },
    requestId: { type: 'string', description: 'Finds the request in the proxy’s log.' },
  },
};

const position = {
  type: 'integer',
  minimum: 0,
  description: 'The last byte the proxy has; absent when it has none.',
};

/** The members of single codes, beside those of every problem. */
const membersOfCode: { readonly [Code in ErrorCode]?: Readonly<Record<string, object>> } = {
  InvalidParameterException: {
    invalidMembers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['member', 'expected'],
        properties: { member: text, expected: text },
      },
    },
  },
  AccessDeniedException: {
    policies: { type: 'array', items: text, description: 'The ids of the policies that decided.' },
    claims: {
      type: 'object',
      additionalProperties: { anyOf: [text, { type: 'array', items: text }] },
      description: 'What was received of an OIDC token’s claims.',
    },
  },
  InvalidLayerPartException: {
    registryId: text,
    repositoryName: text,
    uploadId: text,
    lastValidByteReceived: position,
  },
  QuotaExceededException: {
    quota: { type: 'string', description: 'Its name.' },
    used: { type: 'integer', minimum: 0, description: 'What is used of it today, in bytes or images.' },
    limit: { type: 'integer', minimum: 1, description: 'What it allows in a day.' },
    resetsAt: { type: 'string', format: 'date-time', description: 'When the next day begins, in UTC.' },
  },
  KmsException: { kmsError: text },
};

type Headers = Readonly<Record<string, { description: string; required?: boolean; schema: object }>>;

/** A response object of OpenAPI. */
export type Response = {
  description: string;
  headers: Readonly<Record<string, { required?: boolean }>>;
  content: object;
};

const challenge: Headers = {
  'x-amzn-Remapped-WWW-Authenticate': {
    description: 'The challenge `WWW-Authenticate`, under the name that API Gateway gives it.',
    schema: { type: 'string', const: 'Bearer realm="ecr-upload-proxy"' },
  },
};

const headersOfCode: { readonly [Code in ErrorCode]?: Headers } = {
  UnrecognizedClientException: challenge,
  ExpiredTokenException: challenge,
  InvalidLayerPartException: {
    Range: {
      description: 'As `lastValidByteReceived`; absent when the proxy has no byte.',
      schema: { type: 'string', pattern: '^bytes=0-\\d+$' },
    },
  },
};

/** The rows' own times, or any up to the longest where an answer may name another. */
const secondsOf = (codes: readonly ErrorCode[], told: readonly number[]) => {
  const longest = codes.flatMap((code) => {
    const row: ErrorRow = errors[code];
    return row.maxRetryAfterSeconds ?? [];
  });
  return longest.length > 0
    ? { type: 'integer', minimum: 1, maximum: Math.max(...told, ...longest) }
    : { type: 'integer', enum: told };
};

const retryAfter = (codes: readonly ErrorCode[]): Headers => {
  const seconds = codes.map((code): number | undefined => {
    const row: ErrorRow = errors[code];
    return row.retryAfterSeconds;
  });
  const told = [...new Set(seconds.filter((one) => one !== undefined))];
  if (told.length === 0) return {};
  return {
    'Retry-After': {
      description: 'Seconds after which the same request may be sent again.',
      ...(!seconds.includes(undefined) && { required: true }),
      schema: secondsOf(codes, told),
    },
  };
};

export const problemOf = (code: ErrorCode) => {
  const { status, title } = errors[code];
  return {
    title: code,
    description: title,
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      {
        type: 'object',
        properties: {
          type: { const: `urn:ecr-upload-proxy:error:${code}` },
          title: { const: title },
          status: { const: status },
          code: { const: code },
          ...membersOfCode[code],
        },
      },
    ],
  };
};

const refused = (status: number, codes: readonly ErrorCode[]): Response => {
  const gateway = gatewayRefusals[status];
  const sentences = codes.map((code) => `\`${code}\`: ${errors[code].title}.`);
  const schemas = codes.map((code) => ({ $ref: `#/components/schemas/${code}` }));
  const headers = Object.assign({}, retryAfter(codes), ...codes.map((code) => headersOfCode[code]));
  return {
    description: [...sentences, ...(gateway ? [`Or ${gateway}.`] : [])].join(' '),
    headers,
    content: {
      ...(codes.length > 0 && {
        'application/problem+json': { schema: schemas.length === 1 ? schemas[0] : { oneOf: schemas } },
      }),
      ...(gateway && { 'application/json': { schema: { $ref: '#/components/schemas/GatewayRefusal' } } }),
    },
  };
};

/** Every refusal that these codes, or API Gateway, answer, by HTTP status. */
export const refusalsOf = (ofCall: readonly ErrorCode[]): Readonly<Record<string, Response>> => {
  const codes = [...new Set([...ofCall, ...gatewayCodes])];
  const statuses = new Set([
    ...codes.map((code): number => errors[code].status),
    ...Object.keys(gatewayRefusals).map(Number),
  ]);
  return Object.fromEntries(
    [...statuses]
      .sort((a, b) => a - b)
      .map((status) => [
        String(status),
        refused(
          status,
          codes.filter((code) => errors[code].status === status),
        ),
      ]),
  );
};
