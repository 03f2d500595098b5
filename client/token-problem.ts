// No usable token: its file, command or variable has none, or something that cannot be one.

/** The message says where the token was looked for; it never holds one. */
export class TokenProblem extends Error {
  override readonly name = 'TokenProblem';
}
