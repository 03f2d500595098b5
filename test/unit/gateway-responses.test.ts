// API Gateway's own answers: in the forms of the functions' refusals, from the same table.

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ErrorCode } from '../../api/errors.ts';
import { maxManifestCharacters, partSize } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { awsApi } from '../../lambda/gateway/aws-api.ts';
import { resourceApi } from '../../lambda/gateway/resource-api.ts';
import { gatewayAnswers } from '../../lib/api/gateway-responses.ts';
import { responseTypes } from '../../local/gateway/responses.ts';
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

const problemIn = (type: string): Record<string, unknown> =>
  JSON.parse(responses.get(type)?.ResponseTemplates['application/json'] ?? '');

const answers: [type: string, code: ErrorCode][] = Object.entries(gatewayAnswers).map(([type, { code }]) => [
  type,
  code,
]);

describe('API Gateway’s own answers', () => {
  it('are in the template, each once', () => {
    expect([...responses.keys()].sort()).toEqual(Object.keys(gatewayAnswers).sort());
  });

  it('are all that API Gateway has a type for, by themselves or by the default of their class', () => {
    const others = responseTypes.filter((type) => !(type in gatewayAnswers));
    // What no request can bring about here: there is no authorizer, no API key and no mapping template.
    expect(others).toEqual([
      'API_CONFIGURATION_ERROR',
      'AUTHORIZER_CONFIGURATION_ERROR',
      'AUTHORIZER_FAILURE',
      'INVALID_API_KEY',
    ]);
    expect(responseTypes).toEqual(expect.arrayContaining(Object.keys(gatewayAnswers)));
  });

  it.each([
    ['Lambda did not run', 'INTEGRATION_FAILURE'],
    ['ended without an answer', 'DEFAULT_5XX'],
  ] as const)('of what %s is 503, to be sent again', (_, type) => {
    expect(problemIn(type)).toMatchObject({
      code: 'ServiceUnavailableException',
      status: 503,
      detail: expect.stringContaining('Send the same request again'),
    });
    const { ResponseParameters } = responses.get(type) ?? {};
    expect(ResponseParameters).toHaveProperty(['gatewayresponse.header.Retry-After'], "'5'");
  });

  it.each(answers)('%s is what the resource API says of %s, but for its detail', (type, code) => {
    const response = responses.get(type);
    const { statusCode, headers, body } = resourceApi('PutImage').writeError(
      new ProxyError(code),
      '$context.requestId',
    );
    const mapped = Object.entries(headers ?? {}).map(([name, value]) => [
      `gatewayresponse.header.${name}`,
      `'${value}'`,
    ]);
    expect(response?.StatusCode).toBe(String(statusCode));
    expect(response?.ResponseParameters).toEqual({
      ...Object.fromEntries(mapped),
      'gatewayresponse.header.x-amzn-ErrorType': expect.any(String),
    });
    const { __type, message, ...problem } = problemIn(type);
    expect(problem).toEqual({ ...JSON.parse(body), detail: expect.stringMatching(/^[A-Z].*[.?\w]$/) });
  });

  it.each(answers)('%s is what the AWS API says of %s, with the detail in its words', (type, code) => {
    const { detail, __type, message } = problemIn(type);
    const error = new ProxyError(code, String(detail));
    expect({ __type, message }).toEqual(JSON.parse(awsApi(['ecr']).writeError(error, '').body));
    expect(responses.get(type)?.ResponseParameters['gatewayresponse.header.x-amzn-ErrorType']).toBe(
      `'${__type}'`,
    );
  });

  it('names the limits of parts and of manifests for what is too large, and what a part that fits may be', () => {
    const { detail, message } = problemIn('REQUEST_TOO_LARGE');
    expect(message).toBe(detail);
    for (const limit of ['partSize', partSize, 'imageManifest', maxManifestCharacters, 'escapes']) {
      expect(detail).toContain(String(limit));
    }
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
