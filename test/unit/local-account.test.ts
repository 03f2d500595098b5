// Whose registry the local stack sends layers to.

import { describe, expect, it } from 'vitest';
import { accountOf, localAccount } from '../../local/account.ts';

const mine = { AWS_REGION: 'eu-west-3', AWS_ACCOUNT_ID: '210987654321' };
const moto = { ecrEndpoint: 'http://127.0.0.1:5000' };
const aws = { upstream: 'aws' };

describe('the account of the local stack', () => {
  it.each([
    ['the stand-in, whatever the shell has', {}, mine, localAccount],
    ['another endpoint', moto, mine, { region: 'eu-west-3', accountId: '210987654321' }],
    ['another endpoint, of which nothing is said', moto, {}, localAccount],
    [
      'another endpoint in a region',
      moto,
      { AWS_REGION: 'us-east-1' },
      { ...localAccount, region: 'us-east-1' },
    ],
    ['another endpoint, and no account', moto, { AWS_ACCOUNT_ID: 'me' }, undefined],
    ['Amazon ECR', aws, mine, { region: 'eu-west-3', accountId: '210987654321' }],
    ['Amazon ECR, and no region', aws, { AWS_ACCOUNT_ID: '210987654321' }, undefined],
    ['Amazon ECR, and no account', aws, { AWS_REGION: 'eu-west-3' }, undefined],
  ])('before %s', (_, flags, variables, account) => expect(accountOf(flags, variables)).toEqual(account));
});
