// The configuration: what an operator may write in cdk.json, and how a mistake is told.

import { describe, expect, test } from 'vitest';
import { configuredRegistries, readConfiguration } from '../../lib/configuration.ts';

describe('configuration', () => {
  test('repositories are enough; everything else has a default', () => {
    expect(readConfiguration({ repositories: { ecr: ['team-a/*', 'shared/base'] } })).toEqual({
      stackName: 'EcrUploadProxy',
      repositories: { ecr: ['team-a/*', 'shared/base'] },
      allowEveryRepository: false,
      issuers: [],
      allowLoopbackIssuers: false,
      logRetentionDays: 30,
      memorySizeMegabytes: 1769,
    });
  });

  test('a registry without repositories is not served', () => {
    expect(configuredRegistries({ repositories: { ecr: [], 'ecr-public': ['team-a/app'] } })).toEqual([
      'ecr-public',
    ]);
  });

  test('a whole registry is opened only by saying so', () => {
    const repositories = { ecr: ['*'] };
    expect(() => readConfiguration({ repositories })).toThrow(/repositories\.ecr\.0: .*allowEveryRepository/);
    expect(readConfiguration({ repositories, allowEveryRepository: true }).repositories).toEqual(
      repositories,
    );
  });

  test.each([
    ['nothing at all', undefined, /ecr-upload-proxy: expected an object that holds repositories/],
    ['no repositories', {}, /repositories: expected per registry, a list/],
    ['no repository', { repositories: { ecr: [] } }, /repositories: expected for ecr or ecr-public, a list/],
    ['a name for a list', { repositories: { ecr: 'team-a/*' } }, /repositories\.ecr: expected a list/],
    [
      'capital letters',
      { repositories: { ecr: ['Team-A/*'] } },
      /repositories\.ecr\.0: expected a repository/,
    ],
    ['an ARN', { repositories: { ecr: ['arn:aws:ecr:::repository/a'] } }, /repositories\.ecr\.0/],
    ['a placeholder of IAM', { repositories: { ecr: [`\${aws:username}/*`] } }, /repositories\.ecr\.0/],
    [
      'another registry',
      { repositories: { ecr: ['a/b'], docker: ['a'] } },
      /repositories\.docker: not a member/,
    ],
    ['another member', { repositories: { ecr: ['a/b'] }, colour: 1 }, /colour: not a member/],
    ['a retention of 10 days', { repositories: { ecr: ['a/b'] }, logRetentionDays: 10 }, /logRetentionDays/],
    ['too little memory', { repositories: { ecr: ['a/b'] }, memorySizeMegabytes: 128 }, /from 512 to 10240/],
    ['a stack name with spaces', { repositories: { ecr: ['a/b'] }, stackName: 'my proxy' }, /stackName/],
  ])('%s is refused with what was expected', (_, value, message) => {
    expect(() => readConfiguration(value)).toThrow(message);
  });

  const issuer = { issuer: 'https://issuer.example.com', audience: 'me' };

  test('an issuer needs its URL and an audience, which may be a list', () => {
    expect(readConfiguration({ repositories: { ecr: ['a/b'] }, issuers: [issuer] }).issuers).toEqual([
      { issuer: 'https://issuer.example.com', audience: ['me'], audienceClaim: 'aud' },
    ]);
  });

  test('an issuer on this machine is taken only by saying so', () => {
    const issuers = [{ issuer: 'http://127.0.0.1:1', audience: 'me' }];
    const repositories = { ecr: ['a/b'] };
    expect(() => readConfiguration({ repositories, issuers })).toThrow(/issuers\.0: .*allowLoopbackIssuers/);
    expect(readConfiguration({ repositories, issuers, allowLoopbackIssuers: true }).issuers).toHaveLength(1);
  });

  test.each([
    ['without an audience', [{ issuer: issuer.issuer }], /issuers\.0\.audience: expected the audience/],
    ['with an empty audience', [{ ...issuer, audience: '' }], /issuers\.0\.audience/],
    ['with no audience in a list', [{ ...issuer, audience: [] }], /issuers\.0\.audience/],
    ['of http', [{ ...issuer, issuer: 'http://issuer.example.com' }], /issuers\.0\.issuer: expected .*https/],
    [
      'of http that only looks like this machine',
      [{ ...issuer, issuer: 'http://localhost.example.com' }],
      /https/,
    ],
    ['with a fragment', [{ ...issuer, issuer: 'https://issuer.example.com#x' }], /without a fragment/],
    ['with keys at http', [{ ...issuer, jwksUri: 'http://issuer.example.com/keys' }], /jwksUri/],
    ['with another claim for the audience', [{ ...issuer, audienceClaim: 'azp' }], /client_id/],
    ['twice', [issuer, issuer], /each of them once/],
  ])('an issuer %s is refused', (_, issuers, message) => {
    expect(() => readConfiguration({ repositories: { ecr: ['a/b'] }, issuers })).toThrow(message);
  });

  test('may be text, as --context gives it', () => {
    const configuration = { repositories: { 'ecr-public': ['team-a/app'] } };
    expect(readConfiguration(JSON.stringify(configuration))).toEqual(readConfiguration(configuration));
    expect(() => readConfiguration('{')).toThrow(/expected an object that holds repositories/);
  });

  test('every wrong member is named at once', () => {
    const read = () => readConfiguration({ repositories: { ecr: ['A', 'b', 3] }, memorySizeMegabytes: 'x' });
    expect(read).toThrow(/ecr\.0: [\s\S]*ecr\.2: [\s\S]*memorySizeMegabytes: /);
  });
});
