// `ecr-upload-proxy policy`, as an operator runs it.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run as runHere } from '../../cli/run.ts';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'cli/main.ts');

/** In this process, which spares each test the start of another. */
async function run(...args: string[]) {
  const printed = { out: '', err: '' };
  const log = vi.spyOn(console, 'log').mockImplementation((line) => {
    printed.out += `${line}\n`;
  });
  const error = vi.spyOn(console, 'error').mockImplementation((line) => {
    printed.err += `${line}\n`;
  });
  try {
    const status = await runHere(['policy', ...args]);
    return { status, ...printed };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

/** As an operator does: a command that hangs is ended, where a test that hangs would be. */
const runProcess = (...args: string[]) =>
  promisify(execFile)(process.execPath, [main, 'policy', ...args], { cwd: root }).then(
    ({ stdout, stderr }) => ({ status: 0, out: stdout, err: stderr }),
    (failure: { code: number; stdout: string; stderr: string }) => ({
      status: failure.code,
      out: failure.stdout,
      err: failure.stderr,
    }),
  );

let directory: string;
const write = (file: string, text: string) => writeFileSync(join(directory, file), text);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'policy-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const permit = '@id("all") permit (principal, action, resource);\n';

describe('policy check', () => {
  it.each<[string, (file: string) => void, string]>([
    ['a folder', (file) => mkdirSync(file), 'it is not a file'],
    ['a pipe', (file) => execFileSync('mkfifo', [file]), 'it is not a file'],
    ['a link to nothing', (file) => symlinkSync('nowhere', file), 'ENOENT'],
    ['in another encoding', (file) => writeFileSync(file, permit.replace('all', 'café'), 'latin1'), 'UTF-8'],
  ])('says which file is %s, and does not wait for it', async (_, make, reason) => {
    for (const name of ['a.cedar', 'quotas.yaml']) {
      make(join(directory, name));
      const { status, err } = await runProcess('check', directory);
      expect(status).toBe(1);
      expect(err).toContain(`${name} cannot be read: `);
      expect(err).toContain(reason);
      rmSync(join(directory, name), { recursive: true });
    }
  });

  it('takes files that begin with a byte order mark, as Windows writes them', async () => {
    const schema = readFileSync('policies/schema.cedarschema', 'utf8');
    const one = '- name: x\n  principal: { client: a }\n  action: push\n  repository: a/b\n  expect: allow\n';
    const quota = '- { name: x, client: a, bytesPerDay: 1 }\n';
    const files = {
      'schema.cedarschema': schema,
      'a.cedar': permit,
      'quotas.yaml': quota,
      'a.test.yaml': one,
    };
    for (const [name, text] of Object.entries(files)) {
      write(name, `\uFEFF${text}`);
    }
    expect(await run('check', directory)).toMatchObject({ status: 0, err: '' });
    expect(await run('test', directory)).toMatchObject({ status: 0, err: '' });
  });

  it('asks about session tokens where a case says so', async () => {
    write('a.cedar', 'permit (principal, action, resource) unless { context.tokenIsExchanged };');
    const one = (more: string) =>
      `- { name: x, principal: { client: a }, action: push, repository: a/b, ${more} }\n`;
    write('a.test.yaml', one('expect: allow') + one('tokenIsExchanged: true, expect: deny'));
    expect(await run('test', directory)).toMatchObject({ status: 0, err: '' });
  });

  it('says how many policies are valid', async () => {
    expect(await run('check', 'policies')).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^\d+ policies are valid\.\n$/),
    });
  });

  it.each<[string, string, string, string]>([
    [
      'a policy that does not parse',
      '// é\npermit (principal, action\n  resource);',
      'a.cedar:3:3: ',
      'unexpected token `resource`: expected',
    ],
    [
      'what the schema does not have',
      '// é\n@id("x") permit (principal, action, resource)\nwhen { "é" == resource.name || resource.colour == "red" };',
      'a.cedar:3:32: ',
      'x: attribute `colour` on entity type `Repository` not found (did you mean `name`?)',
    ],
    [
      'a claim that may not be there',
      '@id("x")\npermit (principal is Workload, action, resource)\nwhen { principal.getTag("ref") == "a" };',
      'a.cedar:3:8: ',
      'try testing for the tag\'s presence with `.hasTag("ref") && ..`',
    ],
    [
      'an action that does not exist',
      '@id("x") permit (principal, action == Action::"putImage", resource);',
      'a.cedar:1:39: ',
      'did you mean `Action::"PutImage"`?',
    ],
    [
      'an id twice',
      `${permit}\n${permit}`,
      'a.cedar:3:1: ',
      'two policies have the id all: the first is in a.cedar, line 1',
    ],
    [
      'a mode that does not exist',
      '\n@id("x") @mode("audit-only")\npermit (principal, action, resource);',
      'a.cedar:2:1: ',
      'x: @mode("audit-only"): expected enforce or audit',
    ],
    [
      'a policy that is too deep',
      `\n  @id("x") permit (principal, action, resource) when { ${Array.from({ length: 500 }, (_, n) => `resource.name == "${n}"`).join(' || ')} };`,
      'a.cedar:2:3: ',
      'x: nested 503 deep (at most 128): write a long list as [ … ].contains( … )',
    ],
    [
      'a policy that is too deep to be read',
      `${permit}permit (principal, action, resource) when { ${'('.repeat(200)}true${')'.repeat(200)} };`,
      'a.cedar:2:1: ',
      'nested too deep for Cedar to read (at most 128)',
    ],
    ['a template', 'permit (principal == ?principal, action, resource);', 'a.cedar:1:1: ', 'a template'],
  ])('says of %s where it is and what was expected', async (_, text, place, message) => {
    write('a.cedar', text);
    const { status, out, err } = await run('check', directory);
    expect([status, out]).toEqual([1, '']);
    expect(err).toContain(place);
    expect(err).toContain(message);
  });

  it('names the faults of every file at once', async () => {
    write('a.cedar', 'permit (');
    write('b.cedar', '@id("x") permit (principal, action, resource) when { resource.colour == "red" };');
    const { err } = await run('check', directory);
    expect(err).toMatch(/a\.cedar:1:\d+: [\s\S]*b\.cedar:1:54: /);
  });

  it('warns of a policy that can never apply', async () => {
    write('a.cedar', '@id("x") permit (principal, action, resource) when { principal is Repository };');
    expect(await run('check', directory)).toMatchObject({
      status: 0,
      err: expect.stringMatching(/^warning: a\.cedar:1:1: x: policy is impossible/),
    });
  });

  it('holds policies against the directory’s own schema where it has one', async () => {
    write('schema.cedarschema', 'entity Client = {');
    expect((await run('check', directory)).err).toContain('schema.cedarschema:1:18: ');
  });

  it('says where that schema does not take what the proxy asks', async () => {
    const schema = readFileSync(join(root, 'policies/schema.cedarschema'), 'utf8');
    write('schema.cedarschema', schema.replace('action PutImage', 'action PushImage'));
    expect(await run('check', directory)).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /schema\.cedarschema:1:1: does not take a PutImage by a Client as the proxy asks it/,
      ),
    });
  });

  it('checks the quotas next to the policies as well', async () => {
    write('quotas.yaml', '- { name: x, client: a, bytesPerDay: 0 }');
    expect(await run('check', directory)).toMatchObject({
      status: 1,
      err: expect.stringContaining('quotas.yaml:\n0.bytesPerDay: expected a whole number from 1 on'),
    });
    write('quotas.yaml', '- { name: x, client: a, bytesPerDay: 1 }');
    expect(await run('check', directory)).toMatchObject({
      out: '0 policies are valid.\n1 quotas are valid.\n',
    });
  });

  it('asks for a directory', async () => {
    expect(await runProcess('check', 'nowhere')).toMatchObject({
      status: 2,
      err: expect.stringContaining('nowhere'),
    });
  });
});

const client = 'principal: { client: x }\n  action: InitiateLayerUpload\n  repository: a/b';

describe('policy test', () => {
  beforeEach(() => write('a.cedar', permit));

  it('passes where the policies say what the cases expect', async () => {
    write('a.test.yaml', `- name: everybody\n  ${client}\n  expect: allow\n  by: all\n`);
    expect(await run('test', directory)).toMatchObject({
      status: 0,
      out: 'ok      everybody\n1 passed, 0 failed\n',
    });
  });

  it('says where they do not, with file and line, and what it is instead', async () => {
    write('a.test.yaml', `# comment\n\n- name: nobody\n  ${client}\n  expect: deny\n`);
    const { status, out } = await run('test', directory);
    expect(status).toBe(1);
    expect(out).toBe(
      'FAILED  nobody\na.test.yaml:3: InitiateLayerUpload: expected deny, got allow by all\n0 passed, 1 failed\n',
    );
  });

  it('fails where another policy decided than the case says', async () => {
    write('a.test.yaml', `- name: everybody\n  ${client}\n  expect: allow\n  by: others\n`);
    expect((await run('test', directory)).out).toContain('expected allow by others, got allow by all');
  });

  it.each([
    ['an unknown member', `- name: x\n  ${client}\n  expcet: deny`, 'a.test.yaml:1: expcet: not a member'],
    [
      'an unknown action',
      '- name: x\n  principal: { client: x }\n  action: Put\n  repository: a/b',
      'PutImage',
    ],
    ['no principal', '- name: x\n  action: push\n  repository: a/b', 'principal: client: NAME'],
    [
      'a claim whose number YAML would round',
      '- name: x\n  principal: { workload: { issuer: a, subject: b, claims: { n: 9007199254740993 } } }\n' +
        '  action: push\n  repository: a/b',
      'has quotes',
    ],
    ['broken YAML', '- name: [', 'a.test.yaml:1: '],
    ['nothing to run', '[]', 'has no cases'],
    [
      'a context that the schema does not have',
      `- name: x\n  ${client}\n  context: { size: 1 }\n  expect: allow`,
      '',
    ],
  ])('refuses %s', async (_, text, message) => {
    write('a.test.yaml', text);
    const { status, err } = await run('test', directory);
    expect(status).toBe(1);
    expect(err).toContain(message);
  });
});

describe('policy explain', () => {
  it('says which policies decide a case, where they are, and what they tell', async () => {
    const { out } = await run('explain', 'policies', "the tag latest is nobody's");
    expect(out).toBe(
      'deny  Client::"team-b-ci" PutImage ecr team-b/app\n' +
        '  forbidden by no-latest-tag (limits.cedar:8): the tag latest is not allowed: push a tag that names a version\n',
    );
  });

  it('takes a case from elsewhere, and says when no policy is for it', async () => {
    write('case.yaml', `name: x\n${client.replaceAll('\n  ', '\n')}\n`);
    const { out } = await run('explain', 'policies', '--file', join(directory, 'case.yaml'));
    expect(out).toBe('deny  Client::"x" InitiateLayerUpload ecr a/b\n  no policy permits it\n');
  });

  it('says of a policy in audit mode what it would do', async () => {
    write(
      'a.cedar',
      `${permit}@id("soon") @message("not for long") @mode("audit") forbid (principal, action, resource);`,
    );
    write('a.test.yaml', `- name: x\n  ${client}\n  expect: allow\n  audit: deny\n`);
    expect((await run('test', directory)).status).toBe(0);
    expect((await run('explain', directory)).out).toBe(
      'allow  Client::"x" InitiateLayerUpload ecr a/b\n' +
        '  permitted by all (a.cedar:1)\n' +
        '  with the policies in audit mode: deny\n' +
        '  forbidden by soon (a.cedar:2): not for long\n',
    );
  });
});
