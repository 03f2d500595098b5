// The account and region that the local gateway stands in.

export type Account = { accountId: string; region: string };

/** The account that AWS's own documentation uses for examples: nobody's. */
export const localAccount: Account = { accountId: '123456789012', region: 'eu-central-1' };
