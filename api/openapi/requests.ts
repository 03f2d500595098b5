// What each operation's request looks like at door 1: parameters and bodies, from the operations' own schemas.

import { z } from 'zod';
import { maxPayloadBytes, partSize } from '../limits.ts';
import { layerPartBlob } from '../members.ts';
import { type Call, operations } from '../operations.ts';

type Schema = { [key: string]: unknown };
type Properties = { readonly [member: string]: Schema };

/** The one member that JSON cannot hold as it is. */
const blob = {
  type: 'string',
  contentEncoding: 'base64',
  minLength: 4,
  description: `The bytes of the part, at most ${partSize}.`,
};

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

const membersOf = ({
  operation,
  registry,
}: Call): { properties: Properties; required: readonly string[] } => {
  const { properties, required } = z.toJSONSchema(operations[operation].input(registry), {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== layerPartBlob) return;
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      Object.assign(jsonSchema, blob);
    },
  });
  const schemas = Object.entries(properties ?? {}).map(([name, schema]): [string, Schema] => [
    name,
    isObject(schema) ? schema : {},
  ]);
  return { properties: Object.fromEntries(schemas), required: required ?? [] };
};

const pathMembers = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);

/** The body in JSON: every member but those in the path. Unknown members are refused. */
export const jsonBody = (call: Call) => {
  const { properties, required } = membersOf(call);
  const inPath = pathMembers(operations[call.operation].path);
  const isInBody = (name: string) => !inPath.includes(name);
  return {
    type: 'object',
    required: required.filter(isInBody),
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => isInBody(name))),
    additionalProperties: false,
  };
};

const forOctetStream = 'With application/octet-stream, whose body has no members:';

/** What a raw body cannot say is said in the query and in `Content-Range`. */
const rawParameters = ({ repositoryName, registryId }: Properties) => [
  {
    name: 'repositoryName',
    in: 'query',
    description: `${forOctetStream} required.`,
    schema: repositoryName,
  },
  { name: 'registryId', in: 'query', description: `${forOctetStream} as in JSON.`, schema: registryId },
  {
    name: 'Content-Range',
    in: 'header',
    description: `${forOctetStream} required. The positions of the first and the last byte of the part in its layer, both inclusive, and the layer’s length, which is beyond them, or \`*\`.`,
    schema: { type: 'string', pattern: '^[Bb][Yy][Tt][Ee][Ss] \\d{1,15}-\\d{1,15}/(\\*|\\d{1,15})$' },
    example: `bytes 0-${partSize - 1}/*`,
  },
];

export const parametersOf = (call: Call) => {
  const { path, rawBody } = operations[call.operation];
  const { properties } = membersOf(call);
  const inPath = pathMembers(path).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: properties[name],
  }));
  return [...inPath, ...(rawBody ? rawParameters(properties) : [])];
};

/** @param body where the schema of the body in JSON is */
export const requestBodyOf = ({ operation }: Call, body: object) => ({
  required: true,
  content: {
    'application/json': { schema: body },
    ...(operations[operation].rawBody && {
      'application/octet-stream': {
        schema: {
          type: 'string',
          format: 'binary',
          minLength: 1,
          maxLength: partSize,
          description: `The bytes of the part. API Gateway takes up to ${maxPayloadBytes} bytes of any body.`,
        },
      },
    }),
  },
});
