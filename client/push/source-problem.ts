// A source that holds no image that could be pushed.

import { printable } from '../printable.ts';

/** The message says what is wrong with the source, for the one who gave it; the source's own text in it is harmless. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem';

  constructor(message: string, cause?: unknown) {
    super(printable(message), { cause });
  }
}
