// The account and region that the local gateway runs in.

export type Account = { accountId: string; region: string };

/** The account that AWS's own documentation uses for examples. */
export const localAccount: Account = { accountId: '123456789012', region: 'eu-central-1' };

/**
 * Whose registry layers go to: the stand-in's account, or that of the variables AWS_REGION and AWS_ACCOUNT_ID. Of
 * another endpoint they need not be known; of Amazon ECR both are.
 *
 * @returns undefined where they are missing or ill-formed
 */
export function accountOf(
  { upstream, ecrEndpoint }: { upstream?: string | undefined; ecrEndpoint?: string | undefined },
  variables: NodeJS.ProcessEnv,
): Account | undefined {
  if (upstream === undefined && ecrEndpoint === undefined) {
    return localAccount;
  }
  const known = upstream === undefined ? localAccount : { region: '', accountId: '' };
  const region = variables.AWS_REGION || known.region;
  const accountId = variables.AWS_ACCOUNT_ID || known.accountId;
  return region !== '' && /^\d{12}$/.test(accountId) ? { region, accountId } : undefined;
}
