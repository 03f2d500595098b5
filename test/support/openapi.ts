// What openapi.json promises, held against what door 1 takes and answers.

import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { openapi } from '../../api/openapi/document.ts';
import type { Response } from '../../api/openapi/problems.ts';
import type { Answer } from './door-1.ts';

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

const responseOf = (template: string, method: string, status: string): Response | undefined => {
  return openapi.paths[template]?.[method]?.responses[status];
};

const expectValid = (place: string, value: unknown) => {
  const validate = validatorOf(place);
  expect(validate(value), `${place}: ${ajv.errorsText(validate.errors)}`).toBe(true);
};

/** Fails the test whose request or answer is not in the document. */
export const conform = ({ method, path, json }: Request, { status, headers, body }: Answer): void => {
  const { pathname } = new URL(path, 'http://proxy');
  const template = templates.find(({ pattern }) => pattern.test(pathname))?.template ?? pathname;
  const verb = method.toLowerCase();
  const response = responseOf(template, verb, String(status));
  expect(response, `${method} ${template} answers ${status}, which openapi.json does not know`).toBeDefined();

  const mediaType = headers.get('content-type')?.split(';')[0] ?? '';
  const place = [template, verb, 'responses', String(status), 'content', mediaType, 'schema'];
  expectValid(pointer('paths', ...place), body);
  for (const [name, { required }] of Object.entries(response?.headers ?? {})) {
    // API Gateway's, which is not there when the handlers are called in this process.
    if (required && !name.startsWith('x-amzn-'))
      expect(headers.has(name), `${status} has ${name}`).toBe(true);
    const value = headers.get(name);
    if (name === 'Retry-After' && value !== null) {
      const inDocument = [template, verb, 'responses', String(status), 'headers', name, 'schema'];
      expectValid(pointer('paths', ...inDocument), Number(value));
    }
  }
  if (json !== undefined && status < 300) {
    expectValid(
      pointer('paths', template, verb, 'requestBody', 'content', 'application/json', 'schema'),
      json,
    );
  }
};
