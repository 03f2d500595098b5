// Whose registries a request may name.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountOf } from '../../api/registries.ts';
import { readEnvironment } from '../../lambda/environment.ts';

const accounts = { own: '123456789012', others: ['210987654321'], aliases: ['our-images'] };

describe('the account of a registryId', () => {
  it.each([
    [undefined, '123456789012'],
    ['123456789012', '123456789012'],
    ['210987654321', '210987654321'],
    ['our-images', '123456789012'],
  ])('%s is %s', (registryId, account) => {
    expect(accountOf(registryId, accounts)).toBe(account);
  });

  it('is none for whatever is not configured', () => {
    const named = [accounts.own, ...accounts.others, ...accounts.aliases];
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9]{12}$/),
      fc.constantFrom('OUR-IMAGES', ' our-images', ''),
    );
    fc.assert(
      fc.property(
        text.filter((one) => !named.includes(one)),
        (registryId) => accountOf(registryId, accounts) === undefined,
      ),
    );
  });

  it('is one’s own or none where nothing is configured', () => {
    const alone = { own: accounts.own, others: [], aliases: [] };
    expect([...accounts.others, ...accounts.aliases].map((id) => accountOf(id, alone))).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('the environment', () => {
  const variables = {
    STAGING_BUCKET: 'bucket',
    SECRET_ID: 'secret',
    POLICY_DIRECTORY: 'policies',
    REGISTRY_ID: '123456789012',
    REGISTRIES: 'ecr',
  };

  it('names other accounts and aliases in lists', () => {
    const lists = { REGISTRY_IDS: '210987654321,310987654321', REGISTRY_ALIASES: 'our-images' };
    expect(readEnvironment({ ...variables, ...lists }).accounts).toEqual({
      own: '123456789012',
      others: ['210987654321', '310987654321'],
      aliases: ['our-images'],
    });
    expect(readEnvironment(variables).accounts).toMatchObject({ others: [], aliases: [] });
  });

  it.each([{ REGISTRY_IDS: '' }, { REGISTRY_IDS: '210987654321,' }, { REGISTRY_ALIASES: 'Not One' }])(
    'with %o is refused',
    (wrong) => {
      expect(() => readEnvironment({ ...variables, ...wrong })).toThrow();
    },
  );
});
