// How deep a policy's expressions nest and how much there is to evaluate: Cedar's engine itself has no bound.

import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { z } from 'zod';
import { maxPolicyDepth, maxPolicySize } from '../api/limits.ts';

/** `context has a.b.c` is, evaluated, `context has a && context.a has b && context.a.b has c`. */
const hasPath = z.object({ left: z.unknown(), attr: z.array(z.string()) });
/** `principal is Client in Client::"a"` is two questions about the same principal. */
const isIn = z.object({ left: z.unknown(), in: z.unknown() });

/** How many levels an operator has once it is evaluated, and how often what it is asked of is evaluated. */
function unfold(operator: string, operand: unknown): { levels: number; times: number } {
  if (operator === 'has') {
    const { data } = hasPath.safeParse(operand);
    return data ? { levels: data.attr.length + 1, times: data.attr.length } : { levels: 1, times: 1 };
  }
  if (operator === 'is') {
    return isIn.safeParse(operand).data?.in === undefined ? { levels: 1, times: 1 } : { levels: 2, times: 2 };
  }
  // Evaluated as !(a == b) and !(a <= b).
  return { levels: ['!=', '>', '>='].includes(operator) ? 2 : 1, times: 1 };
}

type Part = { expression: unknown; depth: number; times: number };

const membersOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];

/** The parts of an expression: `{ "||": { left, right } }`, `{ Set: [ … ] }`, `{ offset: [ … ] }`. */
const partsOf = ({ expression, depth, times }: Part): Part[] =>
  membersOf(expression).flatMap(([operator, operand]) => {
    const unfolded = unfold(operator, operand);
    return membersOf(operand).map(([, part]) => ({
      expression: part,
      depth: depth + unfolded.levels,
      times: times * unfolded.times,
    }));
  });

/** By a list and not by recursion, which would end where Cedar's does. */
export function measurePolicy({ conditions }: Pick<PolicyJson, 'conditions'>) {
  // All conditions are one chain of &&, at whose end they stand; `unless` is a negation.
  const chain = conditions.length + 1;
  const open: Part[] = conditions.map(({ body }) => ({ expression: body, depth: chain, times: 1 }));
  let depth = 0;
  let size = 0;
  for (let part = open.pop(); part && size <= maxPolicySize; part = open.pop()) {
    depth = Math.max(depth, part.depth);
    size += part.times;
    for (const inner of partsOf(part)) {
      open.push(inner);
    }
  }
  return { depth, size };
}

const tooDeep = (depth: string) =>
  `nested ${depth} (at most ${maxPolicyDepth}): write a long list as [ … ].contains( … ), or as several policies`;

/** What is wrong with a policy that Cedar parses and its engine could not evaluate. */
export function depthFault(policy: Pick<PolicyJson, 'conditions'>): string | undefined {
  const { depth, size } = measurePolicy(policy);
  if (size > maxPolicySize) {
    return `more than ${maxPolicySize} parts to evaluate ("is … in" and "has" of a path evaluate what is before them again)`;
  }
  return depth > maxPolicyDepth ? tooDeep(`${depth} deep`) : undefined;
}

/** For what is too deep even to be measured. */
export const tooDeepToRead = tooDeep('too deep for Cedar to read');
