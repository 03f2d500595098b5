// What the log says of one request: who asked for what from where, what was decided, and what came of it.

import type { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { maxLogLineBytes } from '../../api/limits.ts';
import { bounded } from './bounded.ts';

export class AuditLine {
  readonly #startedAt = performance.now();
  readonly #members: Record<string, unknown>;

  constructor({ requestContext }: APIGatewayProxyEvent) {
    this.#members = { requestId: requestContext.requestId, sourceIp: requestContext.identity.sourceIp };
  }

  /** What a step has found out. */
  readonly add = (members: Readonly<Record<string, unknown>>): void => {
    Object.assign(this.#members, members);
  };

  write(logger: Logger, status: number | undefined): void {
    const durationMs = Math.round(performance.now() - this.#startedAt);
    const level = this.#members.code === 'InternalFailure' ? 'error' : 'info';
    logger[level]('request', { ...bounded(this.#members, maxLogLineBytes), status, durationMs });
  }
}
