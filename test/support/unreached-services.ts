// What the five steps would reach, for tests of what stands before them: nothing of it is ever asked.

import type { ServeServices } from '../../lambda/serve.ts';

async function notAsked(): Promise<never> {
  throw new Error('nobody asks');
}

const unreached = {
  get ecr(): never {
    throw new Error('nobody asks');
  },
  get 'ecr-public'(): never {
    throw new Error('nobody asks');
  },
};

export const unreachedServices: ServeServices = {
  tokens: { readSecret: notAsked, verifyOidcToken: notAsked },
  authority: {
    policies: { decide: () => ({ allowed: false, policies: [], errors: [] }) },
    readSecret: notAsked,
    accounts: { own: '123456789012', others: [], aliases: [] },
    count: undefined,
  },
  upstream: { ecr: unreached, staging: () => unreached.ecr, readSecret: notAsked },
};
