// Every call goes through the same steps in this order, whichever front received it. Decision 0018.

import type { OperationName, Output } from '../api/operations.ts';
import type { SessionToken } from '../api/session-tokens.ts';
import type { Principal } from '../policy/principal.ts';
import type { IncomingCall } from './incoming-call.ts';
import { proxyErrorOf } from './proxy-error.ts';
import { authenticate, type TokenCheckers, tokenOf } from './steps/authenticate.ts';
import { type Authority, assertAllowed, authorize, type Permit } from './steps/authorize.ts';
import type { Backend } from './steps/forward/upstream.ts';
import { forward } from './steps/forward.ts';
import { validate } from './steps/validate.ts';

/** What the steps reach beyond their own code; the same for all calls of a process. */
export type ServeServices = {
  readonly tokens: TokenCheckers;
  readonly authority: Authority;
  readonly upstream: Backend;
};

type Caller = Pick<IncomingCall, 'headers' | 'abortSignal' | 'record'>;

async function principalOf({ headers, abortSignal, record }: Caller, { tokens }: ServeServices) {
  const principal = await authenticate(headers, tokens);
  // A call that was cancelled ends here, and does not run on next to the following one.
  abortSignal.throwIfAborted();
  const { type, id, tokenIsExchanged } = principal;
  record.add({ principal: `${type}::${id}`, tokenIsExchanged });
  return principal;
}

async function permitOf<Name extends OperationName>(
  call: IncomingCall<Name>,
  services: ServeServices,
): Promise<Permit<Name>> {
  const principal = await principalOf(call, services);
  const input = await validate(call);
  call.abortSignal.throwIfAborted();
  const permit = await authorize(principal, input, services.authority, call.record);
  call.abortSignal.throwIfAborted();
  return permit;
}

async function allowed(call: IncomingCall, services: ServeServices): Promise<void> {
  const principal = await principalOf(call, services);
  assertAllowed(principal, await validate(call), services.authority, call.record);
}

async function outputOf<Name extends OperationName>(
  call: IncomingCall<Name>,
  services: ServeServices,
): Promise<Output<Name>> {
  const { abortSignal, record, tellNearlyUsed } = call;
  const { count, warn } = record;
  const permit = await permitOf(call, services);
  return forward(permit, { ...services.upstream, abortSignal, count, warn, tellNearlyUsed });
}

/** Everything thrown becomes an error of the error table. */
const orProxyError = <Result>(result: Promise<Result>): Promise<Result> =>
  result.catch((error: unknown) => {
    throw proxyErrorOf(error);
  });

/**
 * Says who calls, and does nothing else: a login.
 *
 * @throws ProxyError and nothing else, like the functions below
 */
export const identify = (caller: Caller, services: ServeServices): Promise<Principal> =>
  orProxyError(principalOf(caller, services));

async function sessionTokenOf(caller: Caller, services: ServeServices): Promise<SessionToken> {
  const principal = await principalOf(caller, services);
  const { sessionTokens } = services.tokens;
  if (!sessionTokens) {
    throw new Error('session tokens are not configured');
  }
  const created = await sessionTokens.create(tokenOf(caller.headers), principal);
  caller.record.add({ sessionTokenExpiresAt: created.expiresAt });
  return created;
}

/** Exchanges the caller's token for a session token. */
export const exchange = (caller: Caller, services: ServeServices): Promise<SessionToken> =>
  orProxyError(sessionTokenOf(caller, services));

/**
 * Decides about a call by the policy and forwards nothing; no quota is charged. A front that wants to know before it
 * reads the bytes of a part asks about one byte at that position, and may do so before it has an upload.
 */
export const decide = (call: IncomingCall, services: ServeServices): Promise<void> =>
  orProxyError(allowed(call, services));

/** Does what a call asks for. */
export const serve = <Name extends OperationName>(
  call: IncomingCall<Name>,
  services: ServeServices,
): Promise<Output<Name>> => orProxyError(outputOf(call, services));
