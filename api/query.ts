// An operation's members in a query: texts, which become what the operation's schema asks for. A member of a member
// has both names with a dot between: `filter.tagStatus`.

import { z } from 'zod';

type Shape = Readonly<Record<string, z.core.$ZodType>>;
type Query = Readonly<Record<string, readonly string[] | undefined>>;

/** The schema itself, of a member that may be absent or has a default. */
export const unwrapped = (schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? unwrapped(schema.unwrap())
    : schema;

/** Where the name is that of a member of the shape, or of a member's member. */
function schemaOf(shape: Shape, name: string): z.core.$ZodType | undefined {
  const [own = '', ...rest] = name.split('.');
  const schema = Object.hasOwn(shape, own) ? unwrapped(shape[own]) : undefined;
  if (rest.length === 0) {
    return schema;
  }
  return schema instanceof z.ZodObject ? schemaOf(schema.shape, rest.join('.')) : undefined;
}

/** A text that is no number is left for the schema to refuse. */
const memberOf = (schema: z.core.$ZodType | undefined, text: string): string | number =>
  unwrapped(schema) instanceof z.ZodNumber && /^\d{1,15}$/.test(text) ? Number(text) : text;

/** Names with their values; of a member that is a list, all of them as one. */
export const queryPairs = (shape: Shape, query: Query): [string, unknown][] =>
  Object.entries(query).flatMap(([name, texts = []]): [string, unknown][] => {
    const schema = schemaOf(shape, name);
    return schema instanceof z.ZodArray
      ? [[name, texts.map((text) => memberOf(schema.element, text))]]
      : texts.map((text) => [name, memberOf(schema, text)]);
  });

/** Members with dots in their names become members of members, where the shape has such. */
export function nestMembers(
  shape: Shape,
  members: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const nested = new Map<string, unknown>();
  for (const [name, value] of Object.entries(members)) {
    const dot = name.indexOf('.');
    const [own, rest] = [name.slice(0, dot), name.slice(dot + 1)];
    const schema = dot > 0 && Object.hasOwn(shape, own) ? unwrapped(shape[own]) : undefined;
    if (schema instanceof z.ZodObject) {
      const before: unknown = nested.get(own);
      nested.set(own, {
        ...(typeof before === 'object' ? before : {}),
        ...nestMembers(schema.shape, { [rest]: value }),
      });
    } else {
      nested.set(name, value);
    }
  }
  // Unlike an assignment, this makes a member of its own of `__proto__` too.
  return Object.fromEntries(nested);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same the other way; members that are undefined are left out. */
export const writeQuery = (members: Readonly<Record<string, unknown>>): [string, string][] =>
  Object.entries(members).flatMap(([name, value]) =>
    isObject(value)
      ? writeQuery(value).map(([own, text]): [string, string] => [`${name}.${own}`, text])
      : [value ?? []].flat().map((one): [string, string] => [name, String(one)]),
  );
