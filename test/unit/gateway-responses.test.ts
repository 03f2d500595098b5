// API Gateway's own answers: in the form of the functions' refusals, from the same table.

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ErrorCode } from '../../api/errors.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { resourceDoor } from '../../lambda/doors.ts';
import { gatewayAnswers } from '../../lib/gateway-responses.ts';
import { configurations, synthesize } from '../support/stacks.ts';

const definition = z.object({
  Properties: z.strictObject({
    ResponseType: z.string(),
    RestApiId: z.unknown(),
    StatusCode: z.string(),
    ResponseParameters: z.record(z.string(), z.string()),
    ResponseTemplates: z.strictObject({ 'application/json': z.string() }),
  }),
});

const { template } = synthesize(configurations.default);
const responses = new Map(
  Object.values(template.findResources('AWS::ApiGateway::GatewayResponse')).map((resource) => {
    const { Properties } = definition.parse(resource);
    return [Properties.ResponseType, Properties] as const;
  }),
);

const answers: [type: string, code: ErrorCode][] = Object.entries(gatewayAnswers).map(([type, { code }]) => [
  type,
  code,
]);

describe('API Gateway’s own answers', () => {
  it('are in the template, each once', () => {
    expect([...responses.keys()].sort()).toEqual(Object.keys(gatewayAnswers).sort());
  });

  it.each(answers)('%s is what the resource API says of %s, but for its detail', (type, code) => {
    const response = responses.get(type);
    const { statusCode, headers, body } = resourceDoor('PutImage').writeError(
      new ProxyError(code),
      '$context.requestId',
    );
    const mapped = Object.entries(headers ?? {}).map(([name, value]) => [
      `gatewayresponse.header.${name}`,
      `'${value}'`,
    ]);
    expect(response?.StatusCode).toBe(String(statusCode));
    expect(response?.ResponseParameters).toEqual(Object.fromEntries(mapped));
    const problem: object = JSON.parse(response?.ResponseTemplates['application/json'] ?? '');
    expect(problem).toEqual({ ...JSON.parse(body), detail: expect.stringMatching(/^[A-Z].*[.?\w]$/) });
  });

  it('name no variable but the request’s id, so that nothing of a request is echoed', () => {
    const texts = [...responses.values()].map(
      ({ ResponseTemplates }) => ResponseTemplates['application/json'],
    );
    for (const text of texts) {
      expect(text.match(/\$\S+?(?=")/g)).toEqual(['$context.requestId']);
    }
  });
});
