import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMintedToken, mintToken } from '../../cli/tokens/mint.ts';
import { projectRoot } from '../../lib/project-root.ts';
import { findClientTokens } from '../../supply-chain/client-token-rule.ts';
import { readHistory, readWorkTree } from '../../supply-chain/git-files.ts';
import { findSecrets } from '../../supply-chain/secrets.ts';
import { fuzzed } from '../support/fuzzing.ts';

const token = mintToken('team-a-ci');
/** The last character is another one. */
const mistyped = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const secretsOf = (text: string | Buffer) => findSecrets('planted.txt', Buffer.from(text));
const dockerConfig = JSON.stringify({ auths: { 'push.example.com': { auth: base64(`any:${token}`) } } });

const clients = fc.stringMatching(/^[a-z0-9]{1,20}(-[a-z0-9]{1,20}){0,2}$/);
const surroundings = fc.string({ unit: fc.constantFrom(...' \n"\'`:=/.,_-{}éa0') });

describe('a client token', () => {
  it.each([
    ['in a line of its own', `a\n${token}\n`, 2],
    ['in a program', `const token = '${token}';`, 1],
    ['in an address', `https://x.test/?token=${token}&a=b`, 1],
    ['in the header of Basic authentication', `Authorization: Basic ${base64(`any:${token}`)}`, 1],
    ['in docker’s config.json', dockerConfig, 1],
    ['in a Kubernetes secret', `data:\n  .dockerconfigjson: ${base64(dockerConfig)}\n`, 2],
    ['in UTF-16', Buffer.from(`\ufeff$token = "${token}"`, 'utf16le'), 1],
    ['in a binary file', Buffer.concat([Buffer.from([0, 1, 0xff]), Buffer.from(token)]), 1],
  ])('%s is found, and not shown', async (_, text, line) => {
    const found = await secretsOf(text);
    expect(found).toEqual([`planted.txt:${line}: a client token of ecr-upload-proxy`]);
  });

  it.each([
    ['with a wrong checksum', mistyped],
    ['with a wrong checksum, in base64', base64(`any:${mistyped}`)],
    ['of the local stack', 'eup_team-a-ci_local'],
    ['that a document leaves open', 'eup_team-a-ci_…'],
    ['of another prefix', token.replace('eup_', 'ghx_')],
  ])('%s is none', async (_, text) => {
    expect(await secretsOf(text)).toEqual([]);
  });

  it('is found in whatever stands around it, and no longer once a character has changed', () => {
    fc.assert(
      fc.property(clients, surroundings, surroundings, fc.nat(), (client, before, after, at) => {
        const minted = mintToken(client);
        const text = `${before}${minted}${after}`;
        expect(findClientTokens(text).map(([start, end]) => text.slice(start, end))).toContain(minted);
        const place = 'eup_'.length + client.length + 1 + (at % 46);
        const other = minted[place] === 'x' ? 'y' : 'x';
        const changed = `${minted.slice(0, place)}${other}${minted.slice(place + 1)}`;
        expect(isMintedToken(changed)).toBe(false);
        expect(findClientTokens(`${before}${changed}`)).toEqual([]);
      }),
      fuzzed(200),
    );
  });

  it('is looked for in time that grows with the text alone', () => {
    for (const text of ['eup_', 'eup_a', 'eup_a_', 'A', base64('eup_a_')]) {
      const before = process.cpuUsage();
      findClientTokens(text.repeat(2_000_000 / text.length));
      expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000);
    }
  });
});

describe('docs/operations.md', () => {
  const text = readFileSync(join(projectRoot, 'docs/operations.md'), 'utf8');
  const [, form = ''] = /^```\n(eup_.*)\n```$/m.exec(text) ?? [];
  const [, python = ''] =
    /<!-- run by test\/unit\/secrets\.test\.ts -->\n```python\n(.*?)```/s.exec(text) ?? [];

  it('gives other scanners a form that every token has, and no placeholder', () => {
    fc.assert(
      fc.property(clients, (client) => {
        expect(mintToken(client)).toMatch(new RegExp(`^${form}$`));
      }),
      fuzzed(100),
    );
    expect('eup_team-a-ci_local').not.toMatch(new RegExp(form));
    expect(text.split(form)).toHaveLength(3);
  });

  it.skipIf(spawnSync('python3', ['--version']).error)(
    'computes the checksum as the command does that mints',
    () => {
      const tokens = [...Array.from({ length: 50 }, () => mintToken('team-a-ci')), mistyped];
      const program = `${python}\nimport sys\nprint([is_client_token(t) for t in sys.argv[1:]])`;
      const said = execFileSync('python3', ['-c', program, ...tokens], { encoding: 'utf8' });
      expect(said).toBe(`[${'True, '.repeat(50)}False]\n`);
    },
  );
});

describe('other people’s secrets', () => {
  // Put together here, so that the search of this very file finds nothing.
  const parts = {
    'an access key of AWS': ['AWS_SECRET_ACCESS_KEY=', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzKfP3aQ9sT'],
    'a private key': [
      '-----BEGIN RSA ',
      'PRIVATE KEY-----\n',
      'MIIEowIBAAKCAQEAabc'.repeat(8),
      '\n-----END RSA ',
      'PRIVATE KEY-----',
    ],
    'a token of GitHub': ['gh', 'p_', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'],
    'a token of npm': ['//x.test/:_auth', 'Token=npm_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'],
    'a password in an address': ['https://admin:', 'hunter2hunter2', '@registry.example.com'],
  };

  it.each(Object.entries(parts))('%s is found, and not shown', async (_, text) => {
    const found = await secretsOf(text.join(''));
    expect(found).toHaveLength(1);
    for (const one of found) {
      expect(one).not.toContain(text[2] ?? text[1]);
    }
  });
});

describe('the search', () => {
  it('finds nothing in this repository', async () => {
    const files = readWorkTree(projectRoot);
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['README.md', '.ci/run']));
    for (const { path, bytes } of files) {
      expect(await findSecrets(path, bytes)).toEqual([]);
    }
  });

  it('finds in the history what the work tree has no longer, and what a message says', async () => {
    const repository = mkdtempSync(join(tmpdir(), 'history-'));
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.test', ...args], { cwd: repository });
    git('init', '--quiet');
    for (const text of [token, 'nothing']) {
      writeFileSync(join(repository, 'a file.txt'), text);
      git('add', '.');
      git(
        'commit',
        '--quiet',
        '--message',
        `holds ${text === 'nothing' ? base64(`any:${token}`) : text.length}`,
      );
    }
    const searched = async (files: typeof readHistory) => {
      const found = await Promise.all(files(repository).map(({ path, bytes }) => findSecrets(path, bytes)));
      return found
        .flat()
        .map((one) => one.replace(/[0-9a-f]{12}/, 'ID'))
        .sort();
    };
    expect(await searched(readWorkTree)).toEqual([]);
    expect(await searched(readHistory)).toEqual([
      'blob ID a file.txt:1: a client token of ecr-upload-proxy',
      'commit ID:6: a client token of ecr-upload-proxy',
    ]);
  });
});
