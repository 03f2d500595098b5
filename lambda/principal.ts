// Who is calling: what authenticate makes of a token and the policy decides about.

/** A client with a token that this proxy's operator minted; `id` is the client's name. */
export type Principal = { readonly type: 'Client'; readonly id: string };
