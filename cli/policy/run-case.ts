// Runs a policy case: asks the policies, and compares what they say with what the case expects.

import type { Policies, Verdict } from '../../policy/policies.ts';
import { type PolicyCase, requestsOf } from './cases.ts';

type CaseResult = { passed: boolean; name: string; detail: string };

const wordOf = ({ allowed }: Verdict) => (allowed ? 'allow' : 'deny');

/** `allow by team-a-pushes`, `deny by no policy` */
function sentenceOf(verdict: Verdict): string {
  const ids = verdict.policies.map(({ id }) => id);
  const failures = verdict.errors.length > 0 ? `; failed: ${verdict.errors.join('; ')}` : '';
  return `${wordOf(verdict)} by ${ids.join(', ') || 'no policy'}${failures}`;
}

function isAsExpected(one: PolicyCase, verdict: Verdict, audit: Verdict | undefined): boolean {
  const ids = verdict.policies.map(({ id }) => id);
  const byExpected =
    one.by === undefined || (one.by.length === ids.length && one.by.every((id) => ids.includes(id)));
  const auditExpected = one.audit === undefined || one.audit === wordOf(audit ?? verdict);
  return (one.expect ?? wordOf(verdict)) === wordOf(verdict) && byExpected && auditExpected;
}

const expectationOf = ({ expect, by, audit }: PolicyCase) =>
  [expect, by && `by ${by.join(', ')}`, audit && `(in audit mode: ${audit})`].filter(Boolean).join(' ');

export function runCase(policies: Policies, one: PolicyCase): CaseResult {
  const wrong = requestsOf(one).flatMap((request) => {
    const { audit, ...verdict } = policies.decide(request);
    if (isAsExpected(one, verdict, audit) && verdict.errors.length === 0) {
      return [];
    }
    const watched = audit ? ` (in audit mode: ${sentenceOf(audit)})` : '';
    return [`${request.action}: expected ${expectationOf(one)}, got ${sentenceOf(verdict)}${watched}`];
  });
  const detail = wrong.map((line) => `${one.file}:${one.line}: ${line}`).join('\n');
  return { passed: wrong.length === 0, name: one.name, detail };
}
