// Walks the five steps in this process for one HTTP request, and sends again what ECR or the network failed.

import { setTimeout as sleep } from 'node:timers/promises';
import { errors } from '../../api/errors.ts';
import type { Members, OperationName, Output } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Registry } from '../../api/registries.ts';
import { isSentAgain } from '../../api/send-again.ts';
import type { IncomingCall } from '../../lambda/incoming-call.ts';
import { decide, type ServeServices, serve } from '../../lambda/serve.ts';
import type { CallRecord } from '../../lambda/telemetry/call-record.ts';

/** How long one attempt may take, and all of them, with pauses that grow. A client waits meanwhile, held back. */
export type Patience = {
  readonly attemptMs: number;
  readonly budgetMs: number;
  readonly pauseMs: (attempt: number) => number;
};

/** ECR's rates are by the second. Some of the pause is chance, so that those who were throttled together part. */
export const patience: Patience = {
  attemptMs: 30_000,
  budgetMs: 45_000,
  pauseMs: (attempt) => Math.min(250 * 2 ** (attempt - 1), 4_000) * (0.5 + Math.random() / 2),
};

export type CallContext = {
  readonly services: ServeServices;
  readonly registry: Registry;
  /** The caller's token is in them. */
  readonly headers: IncomingCall['headers'];
  readonly patience: Patience;
  /** Is told, in words for the caller, of a quota that is nearly used. */
  readonly tellNearlyUsed?: ((text: string) => void) | undefined;
};

/** Of one call. */
export type CallOptions = {
  readonly record: CallRecord;
  /** Nobody waits for the answer any more: no further attempt is made, and the one under way ends with its own time. */
  readonly signal: AbortSignal;
};

export class Calls {
  readonly #context: CallContext;

  constructor(context: CallContext) {
    this.#context = context;
  }

  /**
   * Does what an operation does, however often it takes.
   *
   * @throws ProxyError and nothing else
   */
  async send<Name extends OperationName>(
    operation: Name,
    members: Members<Name>,
    { record, signal }: CallOptions,
  ): Promise<Output<Name>> {
    const { services, patience } = this.#context;
    const beganAtMs = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const call = this.#call(operation, members, record, attempt > 1);
        return await serve(call, services);
      } catch (error) {
        const pauseMs = patience.pauseMs(attempt);
        const spentMs = performance.now() - beganAtMs;
        if (!mayPass(error) || signal.aborted || spentMs + pauseMs > patience.budgetMs) {
          throw error;
        }
        await sleep(pauseMs);
      }
    }
  }

  /** @throws ProxyError where the policy does not allow it */
  async decide<Name extends OperationName>(
    operation: Name,
    members: Members<Name>,
    { record }: Pick<CallOptions, 'record'>,
  ): Promise<void> {
    await decide(this.#call(operation, members, record, false), this.#context.services);
  }

  #call<Name extends OperationName>(
    operation: Name,
    members: Members<Name>,
    record: CallRecord,
    isRepeated: boolean,
  ): IncomingCall<Name> {
    const { registry, headers, patience, tellNearlyUsed } = this.#context;
    return {
      operation,
      registry,
      isRepeated,
      sending: 'direct',
      headers,
      readMembers: () => members,
      refusesUnknownMembers: true,
      tellNearlyUsed,
      abortSignal: AbortSignal.timeout(patience.attemptMs),
      record,
    };
  }
}

/** A row of the error table that says: the same request may be sent again. */
const mayPass = (error: unknown): boolean =>
  error instanceof ProxyError && isSentAgain(errors[error.code].sendAgain);
