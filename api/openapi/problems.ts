// The problem documents of the resource API (RFC 9457): one schema per row of the error table, and the answers that may hold them.

import { z } from 'zod';
import type { ErrorHeader } from '../error-headers.ts';
import { errorMembers } from '../error-members.ts';
import { type ErrorCode, type ErrorRow, errors } from '../errors.ts';
import { describeSendAgain, retryAfterSchema } from '../send-again.ts';
import { gatewayCodes, gatewayRefusals } from './gateway-refusals.ts';

/** A header object of OpenAPI. */
type Header = { description: string; required?: boolean; schema: object };

/** A response object of OpenAPI. */
export type Response = {
  description: string;
  headers: Readonly<Record<string, Header>>;
  content: object;
  links?: object;
};

const rowOf = (code: ErrorCode): ErrorRow => errors[code];

const membersOf = (code: ErrorCode) =>
  Object.fromEntries(
    (rowOf(code).members ?? []).map((name) => {
      const { $schema, ...schema } = z.toJSONSchema(errorMembers[name], { io: 'input' });
      return [name, schema];
    }),
  );

const constant = (type: 'string' | 'integer', value: string | number) => ({ type, const: value });

/** Whole, and not composed of a base and a rest, which common generators make no type of. */
export function problemOf(code: ErrorCode) {
  const { status, title, sendAgain } = rowOf(code);
  return {
    type: 'object',
    title: code,
    description: `${title}. Send the same request again: ${describeSendAgain(sendAgain)}.`,
    required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
    properties: {
      type: constant('string', `urn:ecr-upload-proxy:error:${code}`),
      title: constant('string', title),
      status: constant('integer', status),
      detail: { type: 'string', description: 'For people: what is wrong, and what to do.' },
      code: constant('string', code),
      requestId: { type: 'string', description: 'Finds the request in the proxy’s log.' },
      ...membersOf(code),
    },
  };
}

type Headers = Readonly<Record<string, Header>>;

const headerOf = ({ description, pattern, value }: ErrorHeader, isShared: boolean): Header => ({
  description,
  ...(!isShared && value({}) !== undefined && { required: true }),
  schema: { type: 'string', pattern: pattern.source },
});

/** @param codes those that one status may have: a header of some of them is not required */
const headersOf = (codes: readonly ErrorCode[]): Headers =>
  Object.fromEntries(
    codes
      .flatMap((code) => rowOf(code).headers ?? [])
      .map((header) => [
        header.renamed ?? header.name,
        headerOf(header, !codes.every((code) => rowOf(code).headers?.includes(header))),
      ]),
  );

function retryAfterOf(codes: readonly ErrorCode[]): Headers {
  const schemas = codes.map((code) => retryAfterSchema(rowOf(code).sendAgain));
  const values = [...new Map(schemas.map((one) => [JSON.stringify(one), one])).values()];
  const present = values.filter((one) => one !== undefined);
  if (present.length === 0) {
    return {};
  }
  return {
    'Retry-After': {
      description: 'Seconds after which the same request may be sent again.',
      ...(present.length === values.length && { required: true }),
      schema: present.length === 1 && present[0] ? present[0] : { anyOf: present },
    },
  };
}

function refused(status: number, codes: readonly ErrorCode[]): Response {
  const gateway = gatewayRefusals[status];
  const sentences = codes.map((code) => `\`${code}\`: ${errors[code].title}.`);
  const schemas = codes.map((code) => ({ $ref: `#/components/schemas/${code}` }));
  const headers = { ...retryAfterOf(codes), ...headersOf(codes) };
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
}

/** Every refusal that these codes, or API Gateway, answer, by HTTP status. */
export function refusalsOf(ofCall: readonly ErrorCode[]): Readonly<Record<string, Response>> {
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
}
