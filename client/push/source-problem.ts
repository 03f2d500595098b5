// A source that holds no image that could be pushed.

/** The message says what is wrong with the source, for the one who gave it. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem';
}
