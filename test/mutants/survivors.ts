// Mutants that no test can find, as they behave as the code does, each with the reason why.

/** The line that a mutant begins in, what it replaces and by what: `line | original → replacement`. */
type Mutant = string;

type Explained = { readonly why: string; readonly mutants: readonly Mutant[] };

/** By file. */
export const explained: Readonly<Record<string, readonly Explained[]>> = {};

export const reasonOf = (file: string, mutant: Mutant): string | undefined =>
  explained[file]?.find(({ mutants }) => mutants.includes(mutant))?.why;
