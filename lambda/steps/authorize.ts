// Step 3, authorize: Cedar decides about a Principal and an Input. Only this step makes a Permit.

import { maxEchoedCharacters, maxEchoedClaims, maxFaults, partSize } from '../../api/limits.ts';
import type { Members, OperationName } from '../../api/operations.ts';
import { operations } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type Accounts, accountOf, type Registry } from '../../api/registries.ts';
import { opensWith } from '../../api/sealing-keys.ts';
import type { DecisionRequest } from '../../policy/entities.ts';
import type { Policies, Verdict } from '../../policy/policies.ts';
import type { Claims, Principal } from '../../policy/principal.ts';
import type { SecretReader } from '../identity/secret.ts';
import type { Count, CountOptions } from '../quota/quota-counts.ts';
import { short } from '../telemetry/bounded.ts';
import type { CallRecord } from '../telemetry/call-record.ts';
import { openSeal, type SealBinding, type SealedUpload } from '../upload/seal.ts';
import type { Input } from './validate.ts';

/** What authorize needs to decide. */
export type Authority = {
  policies: Policies;
  readSecret: SecretReader;
  accounts: Accounts;
  /** Where there are quotas: counts what a request uses, or refuses it. */
  count: Count | undefined;
};

class GrantedPermit<Name extends OperationName> {
  // A private member makes the type nominal: no other object is accepted as a permit.
  readonly #granted = true;
  readonly operation: Name;
  readonly registry: Registry;
  /** The account, also where the request names its registry by an alias. */
  readonly registryId: string;
  readonly principal: Principal;
  readonly members: Members<Name>;
  readonly isRepeated: boolean;
  /** ECR's own upload id where the operation names an upload; its seal was checked to be this client's. */
  readonly uploadId: string;
  /** How the upload's parts are sent, from the first to the last. */
  readonly sending: SealedUpload['sending'];
  /**
   * Counts what is about to be sent to ECR against the quotas.
   *
   * @throws QuotaExceededException when one is used up
   */
  readonly countUsage: (options: CountOptions) => Promise<void>;

  constructor(
    input: Input<Name>,
    principal: Principal,
    registryId: string,
    { uploadId, sending }: SealedUpload,
    countUsage: GrantedPermit<Name>['countUsage'],
  ) {
    this.operation = input.operation;
    this.registry = input.registry;
    this.members = input.members;
    this.isRepeated = input.isRepeated ?? false;
    this.registryId = registryId;
    this.principal = principal;
    this.uploadId = uploadId;
    this.sending = sending;
    this.countUsage = countUsage;
    void this.#granted;
  }
}

/** The right to do one operation once, with these members. Made nowhere but here. */
export type Permit<Name extends OperationName> = GrantedPermit<Name>;

const namespaceOf = (repositoryName: string) =>
  repositoryName.slice(0, Math.max(repositoryName.lastIndexOf('/'), 0));

const echoed = (text: string) => short(text, maxEchoedCharacters);

/** The claims that were received, for the author of the policy; cut to a readable length. */
const echo = (claims: Claims): Claims =>
  Object.fromEntries(
    Object.entries(claims)
      .slice(0, maxEchoedClaims)
      .map(([name, value]) => [
        echoed(name),
        typeof value === 'string' ? echoed(value) : value.slice(0, 10).map(echoed),
      ]),
  );

/** How a refusal names the caller, and the members that it has about the caller. */
const describeCaller = (principal: Principal) =>
  principal.type === 'Client'
    ? { name: 'this client', members: {} }
    : {
        name: `this workload (issuer ${echoed(principal.issuer)}, subject ${echoed(principal.subject)})`,
        members: { claims: echo(principal.claims) },
      };

/** Only the operator learns which policy it was, and why: the error may quote the policy of another client. */
const notEvaluated =
  'The policies could not be evaluated for this request, so it is refused. The reason is in the proxy’s log, under the request id.';

function refusal(
  { policies, errors }: Verdict,
  principal: Principal,
  operation: OperationName,
  repositoryName: string,
) {
  if (errors.length > 0) {
    return new ProxyError('AccessDeniedException', notEvaluated);
  }
  const caller = describeCaller(principal);
  const reasons = policies.map(({ id, message }) => (message ? `${id}: ${message}` : id));
  const detail =
    reasons.length > 0
      ? `Forbidden by ${reasons.join('; ')}.`
      : `No policy lets ${caller.name} do ${operation} in ${repositoryName}.`;
  return new ProxyError('AccessDeniedException', detail, {
    members: { policies: policies.map(({ id }) => id), ...caller.members },
  });
}

/** Whatever the policies say: they were written for the registries that the operator has configured. */
const elsewhere = (registryId: string | undefined) =>
  new ProxyError(
    'AccessDeniedException',
    `This proxy pushes to no registry ${registryId}: only to its own account's, and to those that its operator has configured.`,
    { members: { policies: [] } },
  );

/** A verdict as the log has it. */
const described = ({ allowed, policies, errors }: Verdict) => ({
  decision: allowed ? 'allow' : 'deny',
  policies: policies.map(({ id }) => id),
  ...(errors.length > 0 && { policyErrors: errors.slice(0, maxFaults).map(echoed) }),
});

async function unseal(
  sealedId: string,
  sending: Input<OperationName>['sending'],
  binding: SealBinding,
  readSecret: SecretReader,
): Promise<SealedUpload> {
  const keys = opensWith(await readSecret(), new Date());
  const upload = openSeal(keys, sealedId, binding);
  // An upload whose parts are sent another way is another front's: it may have bytes that this one does not know of.
  if (upload === undefined || (upload.sending === 'direct') !== (sending === 'direct')) {
    throw new ProxyError('UploadNotFoundException');
  }
  return upload;
}

/**
 * Asks the policy, and adds the decision to the call's record. An upload's seal is not opened: what a client may do
 * with an upload can be asked before there is one.
 *
 * @returns the repository that it was asked about
 * @throws AccessDeniedException with the policies that decided and their messages, or for a registry that is not configured
 */
export function assertAllowed<Name extends OperationName>(
  principal: Principal,
  input: Input<Name>,
  { policies, accounts }: Pick<Authority, 'policies' | 'accounts'>,
  record: Pick<CallRecord, 'add' | 'count'>,
): DecisionRequest['resource'] {
  const { operation, registry, members } = input;
  const { repositoryName } = members;
  const registryId = accountOf(members.registryId, accounts);
  if (registryId === undefined) {
    record.add({ registry, registryId: members.registryId, repositoryName, decision: 'deny', policies: [] });
    throw elsewhere(members.registryId);
  }
  const row = operations[operation];
  const context = row.context(members);
  const resource = {
    id: `${registry}/${registryId}/${repositoryName}`,
    attrs: { name: repositoryName, namespace: namespaceOf(repositoryName), registry, registryId },
  };
  const decision = policies.decide({
    principal,
    action: operation,
    resource,
    context,
    now: new Date(),
  });
  record.add({
    registry,
    registryId,
    repositoryName,
    ...described(decision),
    ...row.logged(members, context),
    // The decision if the policies in audit mode were enforced, where it differs.
    ...(decision.audit && { audit: described(decision.audit) }),
  });
  if (decision.errors.length > 0) {
    record.count('PolicyErrors');
  }
  if (decision.audit) {
    record.count(decision.audit.allowed ? 'AuditWouldAllow' : 'AuditWouldRefuse');
  }
  if (!decision.allowed) {
    throw refusal(decision, principal, operation, repositoryName);
  }
  return resource;
}

/**
 * Asks the policy, and opens the seal of the upload id.
 *
 * @throws what {@link assertAllowed} throws;
 *   UploadNotFoundException for an upload id that was not sealed for this principal and repository, or by a front that
 *   sends parts in another way.
 */
export async function authorize<Name extends OperationName>(
  principal: Principal,
  input: Input<Name>,
  authority: Authority,
  record: Pick<CallRecord, 'add' | 'count'>,
): Promise<Permit<Name>> {
  const resource = assertAllowed(principal, input, authority, record);
  const { registry, members, sending } = input;
  const { repositoryName } = members;
  const { registryId } = resource.attrs;
  const { readSecret, count } = authority;
  const upload =
    'uploadId' in members
      ? await unseal(
          members.uploadId,
          sending,
          { principal, registry, registryId, repositoryName },
          readSecret,
        )
      : { uploadId: '', sending: sending ?? { pairsOf: partSize } };
  const { usage } = operations[input.operation];
  return new GrantedPermit(input, principal, registryId, upload, async (options) => {
    if (count && usage) {
      await count({ principal, resource }, usage(members), options);
    }
  });
}
