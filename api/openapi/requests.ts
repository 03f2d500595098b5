// What each operation's request looks like in the resource API: parameters and bodies, from the operations' own schemas.

import { z } from 'zod';
import { maxPayloadBytes, partSize } from '../limits.ts';
import { type Call, operations } from '../operations.ts';

type Schema = { [key: string]: unknown };
type Properties = { readonly [member: string]: Schema };

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

function membersOf({ operation, registry }: Call): { properties: Properties; required: readonly string[] } {
  const { properties, required } = z.toJSONSchema(operations[operation].input(registry), {
    io: 'input',
    unrepresentable: 'any',
    // Unknown members are refused, those of a member as well.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodObject) {
        jsonSchema.additionalProperties = false;
      }
    },
  });
  const schemas = Object.entries(properties ?? {}).map(([name, schema]): [string, Schema] => [
    name,
    isObject(schema) ? schema : {},
  ]);
  return { properties: Object.fromEntries(schemas), required: required ?? [] };
}

const pathMembers = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);

const orNull = (schema: Schema): Schema =>
  typeof schema.type === 'string' ? { ...schema, type: [schema.type, 'null'] } : schema;

/** A member of JSON that is null counts as absent, and so does a member's own. */
function withNulls(schema: Schema): Schema {
  const { properties, items, required } = schema;
  return {
    ...schema,
    ...(isObject(items) && { items: withNulls(items) }),
    ...(isObject(properties) && {
      properties: nullableMembers(properties, Array.isArray(required) ? required : []),
    }),
  };
}

const nullableMembers = (properties: Schema, required: readonly unknown[]): Properties =>
  Object.fromEntries(
    Object.entries(properties).map(([name, property]): [string, Schema] => {
      const schema = withNulls(isObject(property) ? property : {});
      return [name, required.includes(name) ? schema : orNull(schema)];
    }),
  );

/** Whether the operation's body is in JSON. That of a part may be, but is documented as bytes: see {@link requestBodyOf}. */
export function hasJsonBody({ operation }: Pick<Call, 'operation'>): boolean {
  const { method, rawBody } = operations[operation];
  return method !== 'GET' && !rawBody;
}

/** The body in JSON: every member but those in the path. Unknown members are refused. */
export function jsonBody(call: Call) {
  const { properties, required } = membersOf(call);
  const inPath = pathMembers(operations[call.operation].path);
  const inBody = Object.fromEntries(Object.entries(properties).filter(([name]) => !inPath.includes(name)));
  return {
    type: 'object',
    required: required.filter((name) => !inPath.includes(name)),
    properties: nullableMembers(inBody, required),
    additionalProperties: false,
  };
}

/** The members of a part that its bytes and `Content-Range` say. */
const saidByBytes = ['partFirstByte', 'partLastByte', 'layerPartBlob'];

const contentRange = {
  name: 'Content-Range',
  in: 'header',
  required: true,
  description:
    'The positions of the first and the last byte of the part in its layer, both inclusive, and the layer’s length, which is beyond them, or `*`.',
  schema: { type: 'string', pattern: '^[Bb][Yy][Tt][Ee][Ss] \\d{1,15}-\\d{1,15}/(\\*|\\d{1,15})$' },
  example: `bytes 0-${partSize - 1}/*`,
};

type Parameter = { name: string; in: 'path' | 'query'; required: boolean; schema: Schema | undefined };

/** A member that has members of its own is a parameter for each of them: `filter.tagStatus`. */
function queryParameters(name: string, schema: Schema, required: boolean): Parameter[] {
  const { properties, required: own } = schema;
  return isObject(properties)
    ? Object.entries(properties).flatMap(([member, inner]) =>
        queryParameters(
          `${name}.${member}`,
          isObject(inner) ? inner : {},
          required && Array.isArray(own) && own.includes(member),
        ),
      )
    : [{ name, in: 'query', required, schema }];
}

/** Where there is no JSON, members that the path does not have are in the query. */
export function parametersOf(call: Call) {
  const { path, rawBody } = operations[call.operation];
  const { properties, required } = membersOf(call);
  const inPath = pathMembers(path);
  const inQuery = Object.entries(properties).filter(
    ([name]) => !hasJsonBody(call) && !inPath.includes(name) && !(rawBody && saidByBytes.includes(name)),
  );
  return [
    ...inPath.map((name): Parameter => ({ name, in: 'path', required: true, schema: properties[name] })),
    ...inQuery.flatMap(([name, schema]) => queryParameters(name, schema, required.includes(name))),
    ...(rawBody ? [contentRange] : []),
  ];
}

const partBody = {
  required: true,
  content: {
    'application/octet-stream': {
      schema: {
        type: 'string',
        format: 'binary',
        minLength: 1,
        maxLength: partSize,
        description: `The bytes of the part. API Gateway takes up to ${maxPayloadBytes} bytes of any body.`,
      },
    },
  },
};

/** What an operation says of bodies that OpenAPI cannot describe: one operation's bodies cannot differ in their parameters. */
export const descriptionOf = ({ operation }: Pick<Call, 'operation'>): { description?: string } =>
  operations[operation].rawBody
    ? {
        description:
          'A part may also be JSON (`application/json`) with ECR’s own members, `repositoryName`, `partFirstByte`, `partLastByte` and, in base64, `layerPartBlob`: then there is neither a query nor `Content-Range`.',
      }
    : {};

/** @param body where the schema of the body in JSON is */
export function requestBodyOf(call: Call, body: object) {
  if (operations[call.operation].method === 'GET') {
    return {};
  }
  const json = { required: true, content: { 'application/json': { schema: body } } };
  return { requestBody: operations[call.operation].rawBody ? partBody : json };
}
