// What is asked of Cedar: a request's principal, repository and context in the terms of the policy schema.

import type {
  AuthorizationCall,
  CedarValueJson,
  EntityJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyContext } from '../api/policy-context.ts';
import type { Principal, Workload } from './principal.ts';

/** Who wants to do what to which repository, and when; `action` and `context` as the schema names them. */
export type DecisionRequest = {
  principal: Principal;
  action: string;
  resource: { id: string; attrs: { name: string; namespace: string; registry: string; registryId: string } };
  context: PolicyContext;
  now: Date;
};

/** A request in Cedar's terms. */
export type Described = Pick<AuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'>;

const entity = (
  uid: TypeAndId,
  attrs: Record<string, CedarValueJson>,
  tags: Record<string, CedarValueJson> = {},
): EntityJson => ({ uid, attrs, parents: [], tags });

const isText = (claim: [string, string | readonly string[]]): claim is [string, string] =>
  typeof claim[1] === 'string';

/** Made of pairs: a claim of the name `__proto__` is a claim like any other. */
function splitClaims(workload: Workload) {
  const claims = Object.entries(workload.claims);
  const texts = claims.filter(isText);
  const lists = claims.flatMap(([name, value]) => (typeof value === 'string' ? [] : [[name, [...value]]]));
  // A list in OAuth, written as one text. Source: RFC 6749, section 3.3.
  const scopes = texts.flatMap(([name, value]) => (name === 'scope' ? [[name, value.split(' ')]] : []));
  return { texts: Object.fromEntries(texts), lists: Object.fromEntries([...lists, ...scopes]) };
}

/** All tags of a Cedar type have one type: texts are the workload's own tags, lists those of its `lists`. */
function workloadEntities(workload: Workload): EntityJson[] {
  const { type, id, issuer, subject } = workload;
  const lists = { type: 'ClaimLists', id };
  const claims = splitClaims(workload);
  return [
    entity({ type, id }, { issuer, subject, lists: { __entity: lists } }, claims.texts),
    entity(lists, {}, claims.lists),
  ];
}

/** A client has nothing but its name. */
const principalEntities = (principal: Principal): EntityJson[] =>
  principal.type === 'Workload' ? workloadEntities(principal) : [];

const isList = (value: object): value is readonly string[] => Array.isArray(value);

/** The member whose names nobody can foresee: Cedar's records have fixed ones, so it is an entity with tags. */
const tagged = 'annotations';
const annotations = { type: 'Annotations', id: 'request' };

function contextOf({ context, now, principal }: DecisionRequest) {
  const values: Record<string, CedarValueJson> = {
    tokenIsExchanged: principal.tokenIsExchanged ?? false,
    now: { __extn: { fn: 'datetime', arg: now.toISOString() } },
  };
  const entities: EntityJson[] = [];
  for (const [name, value] of Object.entries(context)) {
    if (value === undefined) {
      continue;
    }
    if (typeof value !== 'object') {
      values[name] = value;
    } else if (isList(value)) {
      values[name] = [...value];
    } else if (name !== tagged) {
      values[name] = { ...value };
    } else {
      values[name] = { __entity: annotations };
      entities.push(entity(annotations, {}, { ...value }));
    }
  }
  return { values, entities };
}

export function describeForCedar(request: DecisionRequest): Described {
  const { principal, action, resource } = request;
  const repository = { type: 'Repository', id: resource.id };
  const { values, entities } = contextOf(request);
  return {
    principal: { type: principal.type, id: principal.id },
    action: { type: 'Action', id: action },
    resource: repository,
    context: values,
    entities: [entity(repository, resource.attrs), ...principalEntities(principal), ...entities],
  };
}
