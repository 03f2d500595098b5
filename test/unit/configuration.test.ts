// The configuration: what an operator may write in cdk.json, and how a mistake is told.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configuredRegistries, readConfiguration } from '../../lib/configuration/configuration.ts';
import { loadConfiguration } from '../../lib/configuration/configuration-file.ts';
import { membersSchema } from '../../lib/configuration/members.ts';
import { configurations } from '../support/stacks.ts';

const repositories = { repositories: { ecr: ['a/b'] } };
const domain = {
  name: 'images.example.com',
  certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1234-5678',
};

it('log retention is a number of days, and not the name that the CDK has for it', () => {
  const read = () => readConfiguration({ ...repositories, logRetentionDays: 'ONE_MONTH' });
  expect(read).toThrow(/logRetentionDays: expected a number of days/);
});

describe('configuration', () => {
  it('repositories are enough; everything else has a default', () => {
    expect(readConfiguration({ repositories: { ecr: ['team-a/*', 'shared/base'] } })).toEqual({
      stackName: 'EcrUploadProxy',
      terminationProtection: false,
      tags: {},
      repositories: { ecr: ['team-a/*', 'shared/base'] },
      allowEveryRepository: false,
      issuers: [],
      allowLoopbackIssuers: false,
      sessionTokens: { maxMinutes: 60 },
      memorySizeMegabytes: 1769,
      logRetentionDays: 30,
      removalPolicy: 'retain',
      setAccountLogRole: false,
    });
  });

  it('a registry without repositories is not served', () => {
    expect(configuredRegistries({ repositories: { ecr: [], 'ecr-public': ['team-a/app'] } })).toEqual([
      'ecr-public',
    ]);
  });

  it('a whole registry is opened only by saying so', () => {
    const repositories = { ecr: ['*'] };
    expect(() => readConfiguration({ repositories })).toThrow(/repositories\.ecr\.0: .*allowEveryRepository/);
    expect(readConfiguration({ repositories, allowEveryRepository: true }).repositories).toEqual(
      repositories,
    );
  });

  it.each([
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
    ['an account that is none', { ...repositories, registryIds: ['1234'] }, /registryIds\.0: .*12 digits/],
    ['an empty list of VPC endpoints', { ...repositories, vpcEndpointIds: [] }, /vpcEndpointIds: .*vpce-/],
    ['a range that is none', { ...repositories, allowedIpRanges: ['10.0.0.0/33'] }, /allowedIpRanges\.0/],
    [
      'a domain without a certificate',
      { ...repositories, domain: { name: 'a.example' } },
      /certificateArn: .*ACM/,
    ],
    [
      'a private API with a domain',
      { ...repositories, vpcEndpointIds: ['vpce-0123456789abcdef0'], domain },
      /domain: expected nothing where vpcEndpointIds are given/,
    ],
    [
      'a truststore on a web server',
      { ...repositories, domain: { ...domain, mutualTls: { truststoreUri: 'https://a/b' } } },
      /mutualTls\.truststoreUri: .*S3 URI/,
    ],
    [
      'a web ACL of CloudFront',
      { ...repositories, webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1' },
      /regional web ACL/,
    ],
    [
      'a rate without a burst',
      { ...repositories, throttling: { requestsPerSecond: 5 } },
      /throttling\.burst/,
    ],
    [
      'a client’s rate without a limit',
      { ...repositories, clientThrottling: {} },
      /clientThrottling: expected an object/,
    ],
    [
      'a client’s rate that WAF cannot count',
      { ...repositories, clientThrottling: { requestsPerMinutePerToken: 9 } },
      /requestsPerMinutePerToken: .*from 10/,
    ],
    [
      'a client’s rate beside a web ACL',
      {
        ...repositories,
        clientThrottling: { requestsPerMinutePerAddress: 600 },
        webAclArn: 'arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1',
      },
      /clientThrottling: expected nothing where webAclArn is given/,
    ],
    [
      'instances for a function that is none',
      { ...repositories, reservedConcurrentExecutions: { GetImage: 5 } },
      /reservedConcurrentExecutions\.GetImage: not a member/,
    ],
    [
      'no instances',
      { ...repositories, reservedConcurrentExecutions: 0 },
      /reservedConcurrentExecutions: .*from 1/,
    ],
    [
      'the alias of a key',
      { ...repositories, kmsKeyArn: 'arn:aws:kms:eu-central-1:123456789012:alias/a' },
      /kmsKeyArn: .*not of an alias/,
    ],
    [
      'a topic that is FIFO',
      { ...repositories, alarmTopicArn: 'arn:aws:sns:eu-central-1:123456789012:a.fifo' },
      /not FIFO/,
    ],
    [
      'another removal policy',
      { ...repositories, removalPolicy: 'snapshot' },
      /removalPolicy: expected retain or destroy/,
    ],
    ['a stack name with spaces', { repositories: { ecr: ['a/b'] }, stackName: 'my proxy' }, /stackName/],
  ])('%s is refused with what was expected', (_, value, message) => {
    expect(() => readConfiguration(value)).toThrow(message);
  });

  const issuer = { issuer: 'https://issuer.example.com', audience: 'me' };

  it('an issuer needs its URL and an audience, which may be a list', () => {
    expect(readConfiguration({ repositories: { ecr: ['a/b'] }, issuers: [issuer] }).issuers).toEqual([
      { issuer: 'https://issuer.example.com', audience: ['me'], audienceClaim: 'aud' },
    ]);
  });

  it('an issuer on this machine is taken only by saying so', () => {
    const issuers = [{ issuer: 'http://127.0.0.1:1', audience: 'me' }];
    const repositories = { ecr: ['a/b'] };
    expect(() => readConfiguration({ repositories, issuers })).toThrow(/issuers\.0: .*allowLoopbackIssuers/);
    expect(readConfiguration({ repositories, issuers, allowLoopbackIssuers: true }).issuers).toHaveLength(1);
  });

  it.each([
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
    ['with tokens for a decade', [{ ...issuer, maxTokenLifetimeSeconds: 315_360_000 }], /60 to 31536000/],
    ['with tokens for no time', [{ ...issuer, maxTokenLifetimeSeconds: 0 }], /60 to 31536000/],
    ['with tokens for a text', [{ ...issuer, maxTokenLifetimeSeconds: '60' }], /in seconds/],
    ['twice', [issuer, issuer], /each of them once/],
  ])('an issuer %s is refused', (_, issuers, message) => {
    expect(() => readConfiguration({ repositories: { ecr: ['a/b'] }, issuers })).toThrow(message);
  });

  it('every wrong member is named at once', () => {
    const read = () => readConfiguration({ repositories: { ecr: ['A', 'b', 3] }, memorySizeMegabytes: 'x' });
    expect(read).toThrow(/ecr\.0: [\s\S]*ecr\.2: [\s\S]*memorySizeMegabytes: /);
  });
});

describe('where the configuration is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'configuration-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const everything = JSON.stringify(configurations.everything);

  it.each([
    ['the context itself', configurations.everything],
    ['JSON on the command line', everything],
    ['a JSON file', file('proxy.json', everything)],
    ['a JSON file that begins with a byte order mark', file('windows.json', `\uFEFF${everything}`)],
    [
      'a typed module',
      file('proxy.ts', `const configuration: object = ${everything}; export default configuration;`),
    ],
  ])('%s', async (_, value) => {
    expect(await loadConfiguration(value)).toEqual(readConfiguration(configurations.everything));
  });

  it('a mistake in a file is reported with the file’s name', async () => {
    const path = file('wrong.json', '{"repositories":{"ecr":["A"]}}');
    await expect(loadConfiguration(path)).rejects.toThrow(/wrong\.json:\n {2}repositories\.ecr\.0: expected/);
  });

  it('JSON that does not end is said to be none, and why', async () => {
    await expect(loadConfiguration('{')).rejects.toThrow(
      /^--context ecr-upload-proxy is no JSON: .*position 1/,
    );
  });

  it('a file that does not exist is reported by its name', async () => {
    await expect(loadConfiguration('nowhere.json')).rejects.toThrow(/cannot be read: nowhere\.json: ENOENT/);
  });

  it('a file that is not JSON is reported with what is wrong in it', async () => {
    const path = file('half.json', '{"repositories":');
    await expect(loadConfiguration(path)).rejects.toThrow(/cannot be read: .*half\.json: .*JSON/);
  });
});

it('docs/configuration.md lists the members of the configuration, and no others', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
  const documented = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, member]) => member);
  expect(documented).toEqual(Object.keys(membersSchema.shape));
});
