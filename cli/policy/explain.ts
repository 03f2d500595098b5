// Explains a decision: what comes of a request, which policies decided it, and where they are written.

import type { Policies, Verdict } from '../../policy/policies.ts';
import type { Policy } from '../../policy/policy-files.ts';
import { type PolicyCase, requestsOf } from './cases.ts';

const outcomes = {
  permit: (one: Policy) => `permitted by ${one.id}`,
  forbid: (one: Policy) => `forbidden by ${one.id}`,
};

const lineOf = (one: Policy) =>
  `  ${outcomes[one.effect](one)} (${one.file}:${one.line})${one.message ? `: ${one.message}` : ''}`;

function reasonsOf(verdict: Verdict, all: readonly Policy[]): string[] {
  const decided = new Set(verdict.policies.map(({ id }) => id));
  const lines = all.filter(({ id }) => decided.has(id)).map(lineOf);
  const failures = verdict.errors.map((error) => `  denied because a policy failed: ${error}`);
  const none = decided.size + failures.length === 0 ? ['  no policy permits it'] : [];
  return [...lines, ...failures, ...none];
}

const wordOf = ({ allowed }: Verdict) => (allowed ? 'allow' : 'deny');

/** Text for a terminal: a paragraph for each action of the case. */
export const explainCase = (policies: Policies, all: readonly Policy[], one: PolicyCase): string =>
  requestsOf(one)
    .map((request) => {
      const { audit, ...verdict } = policies.decide(request);
      const caller = `${request.principal.type}::"${request.principal.id}"`;
      return [
        `${wordOf(verdict)}  ${caller} ${request.action} ${one.registry} ${one.repository}`,
        ...reasonsOf(verdict, all),
        ...(audit ? [`  with the policies in audit mode: ${wordOf(audit)}`, ...reasonsOf(audit, all)] : []),
      ].join('\n');
    })
    .join('\n');
