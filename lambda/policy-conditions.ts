// Which permits cannot hold for a request, seen from the conditions they begin with: cheaper than asking Cedar.

import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';
import type { DecisionRequest } from './entities.ts';

/** False when a condition certainly does not hold; true when it does, or when only Cedar can say. */
export type MayHold = (request: DecisionRequest) => boolean;

type TextOf = (request: DecisionRequest) => string | undefined;

const attributes: Readonly<Record<string, TextOf>> = {
  'principal.issuer': ({ principal }) => (principal.type === 'Workload' ? principal.issuer : undefined),
  'principal.subject': ({ principal }) => (principal.type === 'Workload' ? principal.subject : undefined),
  'resource.name': ({ resource }) => resource.attrs.name,
  'resource.namespace': ({ resource }) => resource.attrs.namespace,
  'resource.registry': ({ resource }) => resource.attrs.registry,
  'resource.registryId': ({ resource }) => resource.attrs.registryId,
};

const tagOf =
  (name: string): TextOf =>
  ({ principal }) => {
    const value = principal.type === 'Workload' ? principal.claims[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };

const literal = z.object({ Value: z.string() }).transform(({ Value }) => Value);
const principal = z.object({ Var: z.literal('principal') });

/** `principal.issuer`, `resource.name`, `principal.getTag("repository")`: what both sides know as text. */
const text = z.union([
  z
    .object({ '.': z.object({ left: z.object({ Var: z.string() }), attr: z.string() }) })
    .transform(({ '.': { left, attr } }, context): TextOf => {
      const read = attributes[`${left.Var}.${attr}`];
      if (read) return read;
      context.addIssue({ code: 'custom', message: 'another attribute' });
      return z.NEVER;
    }),
  z
    .object({ getTag: z.object({ left: principal, right: literal }) })
    .transform(({ getTag }): TextOf => tagOf(getTag.right)),
]);

const isEqual =
  (read: TextOf, value: string): MayHold =>
  (request) =>
    read(request) === value;

const wildcard = z.union([z.literal('Wildcard'), z.object({ Literal: z.string() })]);

/** What stands before the first wildcard: the rest is Cedar's to match. */
const prefixOf = (pattern: readonly z.output<typeof wildcard>[]): string => {
  const end = pattern.indexOf('Wildcard');
  const before = end < 0 ? pattern : pattern.slice(0, end);
  return before.map((part) => (part === 'Wildcard' ? '' : part.Literal)).join('');
};

/** Conditions that cannot fail, and that the request's texts answer. */
const condition = z.union([
  z
    .object({ '==': z.object({ left: text, right: literal }) })
    .transform(({ '==': { left, right } }) => isEqual(left, right)),
  z
    .object({ '==': z.object({ left: literal, right: text }) })
    .transform(({ '==': { left, right } }) => isEqual(right, left)),
  z.object({ '==': z.object({ left: text, right: text }) }).transform(
    ({ '==': { left, right } }): MayHold =>
      (request) =>
        left(request) === right(request),
  ),
  z.object({ like: z.object({ left: text, pattern: z.array(wildcard) }) }).transform(({ like }): MayHold => {
    const prefix = prefixOf(like.pattern);
    return (request) => like.left(request)?.startsWith(prefix) ?? false;
  }),
  z.object({ hasTag: z.object({ left: principal, right: literal }) }).transform(
    ({ hasTag }): MayHold =>
      (request) =>
        tagOf(hasTag.right)(request) !== undefined,
  ),
  z
    .object({ is: z.object({ left: principal, entity_type: z.string(), in: z.undefined().optional() }) })
    .transform(
      ({ is }): MayHold =>
        (request) =>
          request.principal.type === is.entity_type,
    ),
]);

const conjunction = z.object({ '&&': z.object({ left: z.unknown(), right: z.unknown() }) });

/** `a && b && c` in the order of evaluation. */
const conjunctsOf = (expression: unknown): unknown[] => {
  const { data } = conjunction.safeParse(expression);
  return data ? [...conjunctsOf(data['&&'].left), ...conjunctsOf(data['&&'].right)] : [expression];
};

const leading = (conjuncts: readonly unknown[]): MayHold[] => {
  const known: MayHold[] = [];
  for (const conjunct of conjuncts) {
    const { data } = condition.safeParse(conjunct);
    // What comes after a condition that is not understood is not looked at: that one might fail.
    if (!data) break;
    known.push(data);
  }
  return known;
};

const always: MayHold = () => true;

/**
 * Conditions are evaluated from left to right, and the first that is false ends it: when one of those that a
 * permit begins with does not hold, it neither permits nor fails. A forbid is never left out: should this
 * ever be wrong, it would refuse somebody and let nobody in.
 */
export const mayHold = ({ effect, conditions: [first] }: PolicyJson): MayHold => {
  if (effect !== 'permit' || first?.kind !== 'when') return always;
  const known = leading(conjunctsOf(first.body));
  return (request) => known.every((holds) => holds(request));
};
