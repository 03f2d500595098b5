// openapi.json: valid, complete, and what the tables say.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { codesOf, errors } from '../../api/errors.ts';
import { openapi, openapiText } from '../../api/openapi/document.ts';
import { gatewayRefusals } from '../../api/openapi/gateway-refusals.ts';
import { calls, operations } from '../../api/operations.ts';
import { projectRoot } from '../../lib/project-root.ts';

describe('openapi.json', () => {
  it('is what the tables make of it: npm run openapi writes it again', () => {
    expect(readFileSync(join(projectRoot, 'openapi.json'), 'utf8')).toBe(openapiText);
  });

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(openapiText))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('has the routes of the table for each registry that has the operation, and no other', () => {
    const routes = Object.entries(openapi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.sort()).toEqual(
      [
        ...calls.map(
          ({ operation, registry }) =>
            `${operations[operation].method} /${registry}${operations[operation].path}`,
        ),
        'POST /session-tokens',
      ].sort(),
    );
  });

  it.each(calls)('$registry $operation has every status of its errors, its own and API Gateway’s', (call) => {
    const { method, path, status } = operations[call.operation];
    const [, { responses } = { responses: {} }] =
      Object.entries(openapi.paths[`/${call.registry}${path}`] ?? {}).find(
        ([name]) => name.toUpperCase() === method,
      ) ?? [];
    const statuses = [
      status,
      ...codesOf(call).map((code) => errors[code].status),
      ...Object.keys(gatewayRefusals),
    ];
    expect(Object.keys(responses).sort()).toEqual([...new Set(statuses.map(String))].sort());
  });

  it('refers to nothing that it does not have, and has nothing that it does not refer to', () => {
    const referred = [...openapiText.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect([...new Set(referred)].sort()).toEqual(Object.keys(openapi.components.schemas).sort());
  });
});
