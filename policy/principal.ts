// Who is calling: what authenticate makes of a token and the policy decides about.

/** How the caller has proved who they are. */
type Proof = {
  /** By a session token, which the proxy gave for another. */
  readonly tokenIsExchanged?: true;
};

/** A client with a token that this proxy's operator minted; `id` is the client's name. */
export type Client = Proof & { readonly type: 'Client'; readonly id: string };

/** Claims by name, as policy/claims.ts makes them of a token's payload. */
export type Claims = Readonly<Record<string, string | readonly string[]>>;

/** A holder of an OIDC token; `id` is issuer and subject as one text, the same in every token of theirs. */
export type Workload = Proof & {
  readonly type: 'Workload';
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Claims;
};

export type Principal = Client | Workload;

/** An issuer is a URL without a fragment, so no two pairs of issuer and subject give the same id. */
export const workload = (issuer: string, subject: string, claims: Claims): Workload => ({
  type: 'Workload',
  id: `${issuer}#${subject}`,
  issuer,
  subject,
  claims,
});
