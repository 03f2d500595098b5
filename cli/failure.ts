// How a command ends that could not do its work: one line on standard error, and an exit status.

import { printable } from '../client/printable.ts';

/** What is wrong with how a command was called or with what it found: the message says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitStatus: number;

  /** @param exitStatus 1 by default; 2 for a command that was called wrongly */
  constructor(message: string, options: { exitStatus?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.exitStatus = options.exitStatus ?? 1;
  }
}

export const exitStatusOf = (failure: unknown): number =>
  failure instanceof CommandError ? failure.exitStatus : 1;

/**
 * Never a stack, which helps nobody at a terminal; never a cause, which may quote what was sent. What a message
 * quotes of an archive or an answer does nothing to the terminal.
 */
export function report(failure: unknown): void {
  const message = failure instanceof Error ? failure.message : String(failure);
  console.error(`ecr-upload-proxy: ${message.split('\n').map(printable).join('\n')}`);
}
