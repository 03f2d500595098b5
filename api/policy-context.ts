// What a policy's context may hold.

/** Absent members are left out. */
export type PolicyContext = Readonly<
  Record<string, string | number | readonly string[] | Readonly<Record<string, string | number>> | undefined>
>;
