// Which policies a request has to be held against: those whose scope names its principal and its action.

import type { EntityUidJson, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Policy } from './policy-files.ts';

const uidOf = (uid: EntityUidJson): TypeAndId => ('__entity' in uid ? uid.__entity : uid);

const isSame = (uid: EntityUidJson, { type, id }: TypeAndId) =>
  uidOf(uid).type === type && uidOf(uid).id === id;

/**
 * A policy whose scope does not fit is neither satisfied nor does it fail, so that leaving it out changes no
 * decision. Source: Cedar's "policy slicing". Where in doubt, a policy is kept.
 */
const fitsPrincipal = (scope: PolicyJson['principal'], principal: TypeAndId): boolean => {
  if (scope.op === '==' && 'entity' in scope) return isSame(scope.entity, principal);
  return scope.op === 'is' ? scope.entity_type === principal.type : true;
};

/** The one group that the schema's actions are in. */
const allActions = 'push';

const fitsAction = (scope: PolicyJson['action'], action: string): boolean => {
  const named = (uid: EntityUidJson) => [action, allActions].includes(uidOf(uid).id);
  if (scope.op === 'in') return 'entities' in scope ? scope.entities.some(named) : named(scope.entity);
  return scope.op === '==' && 'entity' in scope ? uidOf(scope.entity).id === action : true;
};

const namedPrincipal = ({ scope: { principal } }: Policy): string[] =>
  principal.op === '==' && 'entity' in principal ? [keyOf(uidOf(principal.entity))] : [];

const keyOf = ({ type, id }: TypeAndId) => JSON.stringify([type, id]);

/**
 * Finds the policies for a principal and an action; every principal that no policy names shares those of its
 * type, so that strangers fill no memory.
 */
export const slicer = (policies: readonly Policy[]) => {
  const named = new Set(policies.flatMap(namedPrincipal));
  const found = new Map<string, readonly Policy[]>();
  return (principal: TypeAndId, action: string): readonly Policy[] => {
    const own = keyOf(principal);
    const key = `${action} ${named.has(own) ? own : principal.type}`;
    const slice =
      found.get(key) ??
      policies.filter(
        ({ scope }) => fitsPrincipal(scope.principal, principal) && fitsAction(scope.action, action),
      );
    found.set(key, slice);
    return slice;
  };
};
