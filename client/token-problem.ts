// A token that cannot be had: its file, its command or its variable gives none, or what cannot be one.

/** The message says where the token was looked for; it never holds one. */
export class TokenProblem extends Error {
  override readonly name = 'TokenProblem';
}
