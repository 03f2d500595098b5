// What openapi.json promises, held against what the resource API takes and answers.

import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { type ErrorRow, errors, isErrorCode } from '../../api/errors.ts';
import { openapi } from '../../api/openapi/document.ts';
import type { Response } from '../../api/openapi/problems.ts';
import { retryAfterSchema } from '../../api/send-again.ts';
import type { Answer } from './resource-api.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(openapi, 'openapi');

const pointer = (...names: readonly string[]) =>
  `openapi#/${names.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

const validatorOf = (place: string) => ajv.getSchema(place) ?? ajv.compile({ $ref: place });

const templates = Object.keys(openapi.paths).map((template) => ({
  template,
  pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

type Request = { method: string; path: string; json?: unknown };

function responseOf(template: string, method: string, status: string): Response | undefined {
  return openapi.paths[template]?.[method]?.responses[status];
}

function expectValid(place: string, value: unknown) {
  const validate = validatorOf(place);
  expect(validate(value), `${place}: ${ajv.errorsText(validate.errors)}`).toBe(true);
}

const schemas: Readonly<Record<string, { properties?: object }>> = openapi.components.schemas;

const headersOfErrors = [
  'Retry-After',
  ...Object.values(errors).flatMap((row: ErrorRow) => (row.headers ?? []).map(({ name }) => name)),
];

/** Beside them API Gateway's own answers have those of the AWS API, as it has one text for both. */
const gatewayMembers = ['__type', 'message'];

/** API Gateway gives a header of a function's another name; where it is not there, the header has its own. */
const original = (name: string) => name.replace(/^x-amzn-Remapped-/, '');

const headerValue = (text: string, schema: object) =>
  JSON.stringify(schema).includes('"integer"') ? Number(text) : text;

/** No header, and no member, that the document does not have; the values of those that it has. */
function expectDocumented(place: readonly string[], response: Response, { headers, body }: Answer) {
  for (const [name, { required, schema }] of Object.entries(response.headers)) {
    // API Gateway's own, which is not there when the handlers are called in this process.
    if (name === 'x-amzn-RequestId') {
      continue;
    }
    const text = headers.get(name) ?? headers.get(original(name));
    if (required) {
      expect(text, `${place.join(' ')} has ${name}`).not.toBeNull();
    }
    if (text !== null) {
      expectValid(pointer(...place, 'headers', name, 'schema'), headerValue(text, schema));
    }
  }
  const documented = Object.keys(response.headers).map(original);
  for (const name of headersOfErrors) {
    if (headers.has(name)) {
      expect(documented, `${place.join(' ')} has ${name}`).toContain(name);
    }
  }
  const code = typeof body.code === 'string' ? body.code : '';
  const { properties } = schemas[code] ?? {};
  if (!properties) {
    return;
  }
  expect(Object.keys(properties), `the members of ${code}`).toEqual(
    expect.arrayContaining(Object.keys(body).filter((name) => !gatewayMembers.includes(name))),
  );
  expectHeadersOf(code, { headers, body });
}

/** What the headers say follows from the code and the members. */
function expectHeadersOf(code: string, { headers, body }: Pick<Answer, 'headers' | 'body'>) {
  if (!isErrorCode(code)) {
    return;
  }
  const { sendAgain }: ErrorRow = errors[code];
  const schema = retryAfterSchema(sendAgain);
  const retryAfter = headers.get('retry-after');
  expect(retryAfter !== null, `${code} has Retry-After`).toBe(schema !== undefined);
  if (schema) {
    expect(ajv.validate(schema, Number(retryAfter)), `${code} has Retry-After: ${retryAfter}`).toBe(true);
  }
  const last = body.lastValidByteReceived;
  expect(headers.get('range')).toBe(last === undefined ? null : `bytes=0-${last}`);
}

/** Fails the test whose request or answer is not in the document. */
export function conform({ method, path, json }: Request, answer: Answer): void {
  const { status, headers, body } = answer;
  const { pathname } = new URL(path, 'http://proxy');
  const template = templates.find(({ pattern }) => pattern.test(pathname))?.template ?? pathname;
  const verb = method.toLowerCase();
  const response = responseOf(template, verb, String(status));
  expect(response, `${method} ${template} answers ${status}, which openapi.json does not know`).toBeDefined();
  if (!response) {
    return;
  }

  const mediaType = headers.get('content-type')?.split(';')[0] ?? '';
  const place = ['paths', template, verb, 'responses', String(status)];
  expectValid(pointer(...place, 'content', mediaType, 'schema'), body);
  expectDocumented(place, response, answer);
  // A part in JSON is documented in words alone.
  if (json !== undefined && status < 300 && !template.endsWith('/parts')) {
    expectValid(
      pointer('paths', template, verb, 'requestBody', 'content', 'application/json', 'schema'),
      json,
    );
  }
}
