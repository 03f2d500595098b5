// The resource API as an OpenAPI 3.1 document, made of the tables that run it.

import packageJson from '../../package.json' with { type: 'json' };
import { codesOf, errorCodes } from '../errors.ts';
import { type Call, calls, operationNames, operations } from '../operations.ts';
import type { Registry } from '../registries.ts';
import { sessionTokenExchange } from '../session-tokens.ts';
import { outputJsonSchema } from '../wire.ts';
import { gatewayRefusal } from './gateway-refusals.ts';
import { linksOf } from './links.ts';
import { problemOf, type Response, refusalsOf } from './problems.ts';
import { descriptionOf, hasJsonBody, jsonBody, parametersOf, requestBodyOf } from './requests.ts';

/** The name of what belongs to one operation of one registry: ECR's, followed by `Public` where it is ECR Public's. */
const suffixes = { ecr: '', 'ecr-public': 'Public' } as const satisfies Record<Registry, string>;
const nameOf = ({ operation, registry }: Call) => `${operation}${suffixes[registry]}`;

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** API Gateway adds it to every answer. */
const requestId = {
  description: 'Finds the request in the proxy’s log.',
  required: true,
  schema: { type: 'string' },
};

const responsesOf = (call: Call): Readonly<Record<string, Response>> => ({
  [operations[call.operation].status]: {
    description: 'As ECR answers.',
    headers: { 'x-amzn-RequestId': requestId },
    content: { 'application/json': { schema: reference(`${call.operation}Response`) } },
    ...linksOf(call, nameOf),
  },
  ...refusalsOf(codesOf(call)),
});

const tagsOf = ({ registry }: Call): string[] => [registry];

const operationOf = (call: Call) => ({
  operationId: nameOf(call),
  summary: operations[call.operation].summary,
  ...descriptionOf(call),
  tags: tagsOf(call),
  parameters: parametersOf(call),
  ...requestBodyOf(call, reference(`${nameOf(call)}Request`)),
  responses: responsesOf(call),
});

const sessionTokenSchema = 'SessionToken';

const exchangeOfTokens: ReturnType<typeof operationOf> = {
  operationId: sessionTokenExchange.name,
  summary: sessionTokenExchange.summary,
  description:
    'The session token is of the same caller, with the same claims, and valid for an hour at most, as `expiresAt` says. A session token is not exchanged again. There is no body.',
  tags: ['tokens'],
  parameters: [],
  responses: {
    [sessionTokenExchange.status]: {
      description: 'The session token.',
      headers: { 'x-amzn-RequestId': requestId },
      content: { 'application/json': { schema: reference(sessionTokenSchema) } },
    },
    ...refusalsOf(sessionTokenExchange.errors),
  },
};

const pathOf = ({ operation, registry }: Call) => `/${registry}${operations[operation].path}`;
const methodOf = ({ operation }: Call) => operations[operation].method.toLowerCase();

/** Operations that differ in their method alone share a path. */
const paths = Object.fromEntries([
  ...[...Map.groupBy(calls, pathOf)].map(
    ([path, sharing]) =>
      [path, Object.fromEntries(sharing.map((call) => [methodOf(call), operationOf(call)]))] as const,
  ),
  [sessionTokenExchange.path, { [sessionTokenExchange.method.toLowerCase()]: exchangeOfTokens }],
]);

const schemas = {
  ...Object.fromEntries(calls.filter(hasJsonBody).map((call) => [`${nameOf(call)}Request`, jsonBody(call)])),
  ...Object.fromEntries(
    operationNames.map((operation) => [
      `${operation}Response`,
      outputJsonSchema(operations[operation].output),
    ]),
  ),
  [sessionTokenSchema]: outputJsonSchema(sessionTokenExchange.output),
  ...Object.fromEntries(
    errorCodes
      .filter((code) => calls.some((call) => codesOf(call).includes(code)))
      .map((code) => [code, problemOf(code)]),
  ),
  GatewayRefusal: gatewayRefusal,
};

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The token.' },
  basic: { type: 'http', scheme: 'basic', description: 'The token as the password, any user name.' },
  sessionToken: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Amz-Security-Token',
    description: 'The token where an AWS SDK puts a session token.',
  },
};

export const openapi = {
  openapi: '3.1.1',
  info: {
    title: packageJson.name,
    version: packageJson.version,
    license: { name: packageJson.license, identifier: packageJson.license },
    description: [
      'Uploads of image layers and images to Amazon ECR, in ECR’s own member names.',
      'Parts have exactly `partSize` bytes and come in order; only the last may be shorter. A part may be sent again at any time.',
      'The same operations are at `POST /` in ECR’s own wire protocol, for AWS SDKs.',
    ].join('\n\n'),
  },
  servers: [
    {
      url: 'https://{apiId}.execute-api.{region}.amazonaws.com/prod',
      description: 'A deployed stack: its output ProxyUrl.',
      variables: { apiId: { default: 'abcdefghij' }, region: { default: 'eu-central-1' } },
    },
    { url: 'http://127.0.0.1:8080', description: 'npm start' },
  ],
  tags: [
    { name: 'ecr', description: 'Amazon ECR, where the stack is configured for it.' },
    { name: 'ecr-public', description: 'Amazon ECR Public, where the stack is configured for it.' },
    { name: 'tokens', description: 'Session tokens, unless the stack is configured without.' },
  ],
  security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
  paths,
  components: {
    schemas,
    securitySchemes,
  },
};

/** As `openapi.json` in the repository has it. */
export const openapiText = `${JSON.stringify(openapi, null, 2)}\n`;
