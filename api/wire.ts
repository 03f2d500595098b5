// How an operation's output becomes JSON and is read from it again: by the schema of its row, times in each protocol's form.

import { z } from 'zod';

/** How a protocol writes a time, and how it reads one; what is none is left for the schema to refuse. */
export type TimeForm = { write: (time: Date) => string | number; read: (value: unknown) => unknown };

/** ISO 8601, in UTC. */
export const isoText: TimeForm = {
  write: (time) => time.toISOString(),
  read: (value) => (z.iso.datetime().safeParse(value).success ? new Date(String(value)) : value),
};

/** Seconds since 1970, with milliseconds as their fraction. Source: Smithy, "AWS JSON 1.1 protocol", `timestamp`. */
export const epochSeconds: TimeForm = {
  write: (time) => time.getTime() / 1_000,
  read: (value) => (typeof value === 'number' ? new Date(Math.round(value * 1_000)) : value),
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const mapValues = (value: unknown, change: (name: string, member: unknown) => unknown) =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(name, member)]))
    : value;

const leaves = [z.ZodString, z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodLiteral] as const;

/** The value with every time that the schema has changed. @throws Error at a kind of schema that no output has yet */
function mapTimes(
  schema: z.core.$ZodType | undefined,
  value: unknown,
  change: (time: unknown) => unknown,
): unknown {
  if (schema === undefined || value === undefined || value === null) {
    return value;
  }
  if (schema instanceof z.ZodDate) {
    return change(value);
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return mapTimes(schema.unwrap(), value, change);
  }
  if (schema instanceof z.ZodArray) {
    return Array.isArray(value) ? value.map((item) => mapTimes(schema.element, item, change)) : value;
  }
  if (schema instanceof z.ZodObject) {
    const { shape } = schema;
    return mapValues(value, (name, member) => mapTimes(shape[name], member, change));
  }
  if (schema instanceof z.ZodRecord) {
    return mapValues(value, (_, member) => mapTimes(schema.valueType, member, change));
  }
  if (leaves.some((leaf) => schema instanceof leaf)) {
    return value;
  }
  throw new Error(
    `an output cannot have a ${schema._zod.def.type}: api/wire.ts does not know where its times are`,
  );
}

/**
 * An output as a protocol writes it. Members that the schema does not have are left out.
 * @throws ZodError when it is not what the schema says
 */
export const writeOutput = (schema: z.ZodType, output: unknown, { write }: TimeForm): string =>
  JSON.stringify(
    mapTimes(schema, schema.parse(output), (time) => (time instanceof Date ? write(time) : time)),
  );

/** @throws SyntaxError or ZodError when the text is not what the schema says */
export const readOutput = <Output>(schema: z.ZodType<Output>, text: string, { read }: TimeForm): Output =>
  schema.parse(mapTimes(schema, JSON.parse(text), read));

/** The schema of an output in JSON, for OpenAPI. Later versions may answer more members. */
export const outputJsonSchema = (schema: z.ZodType) =>
  z.toJSONSchema(schema, {
    io: 'output',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      Reflect.deleteProperty(jsonSchema, 'additionalProperties');
      Reflect.deleteProperty(jsonSchema, '$schema');
      if (zodSchema instanceof z.ZodDate) {
        Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      }
    },
  });
