// An operation's members in a query: texts, which become what the operation's schema asks for.

import { z } from 'zod';

type Shape = Readonly<Record<string, z.core.$ZodType>>;
type Query = Readonly<Record<string, readonly string[] | undefined>>;

const unwrapped = (schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? unwrapped(schema.unwrap())
    : schema;

/** A text that is no number is left for the schema to refuse. */
const memberOf = (schema: z.core.$ZodType | undefined, text: string): string | number =>
  unwrapped(schema) instanceof z.ZodNumber && /^\d{1,15}$/.test(text) ? Number(text) : text;

/** Names with their values; of a member that is a list, all of them as one. */
export const queryPairs = (shape: Shape, query: Query): [string, unknown][] =>
  Object.entries(query).flatMap(([name, texts = []]): [string, unknown][] => {
    const schema = Object.hasOwn(shape, name) ? unwrapped(shape[name]) : undefined;
    return schema instanceof z.ZodArray
      ? [[name, texts.map((text) => memberOf(schema.element, text))]]
      : texts.map((text) => [name, memberOf(schema, text)]);
  });

/** The same the other way; members that are undefined are left out. */
export const writeQuery = (members: Readonly<Record<string, unknown>>): [string, string][] =>
  Object.entries(members).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, String(one)]),
  );
