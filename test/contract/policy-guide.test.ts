// docs/policy.md, done as it says: its files written, its commands run, its outputs compared.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/policy.md'), 'utf8');

type Block = { verb: string; argument: string; text: string };

/** A comment that says what to do with the fence after it. */
const blocks: Block[] = [...guide.matchAll(/<!-- (file|run|output)(?:: (.*?))? -->\n```\w+\n(.*?)```/gs)].map(
  ([, verb = '', argument = '', text = '']) => ({ verb, argument, text }),
);

/** `npx ecr-upload-proxy` is this project's own command, without the network. */
const shim = `npx() { shift; '${process.execPath}' '${join(root, 'cli/main.ts')}' "$@"; }\n`;

describe('docs/policy.md', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'policy-guide-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const run = (script: string) =>
    promisify(execFile)('bash', ['-c', shim + script], { cwd: directory }).then(
      ({ stdout, stderr }) => ({ status: 0, text: stdout + stderr }),
      (failure: { code: number; stdout: string; stderr: string }) => ({
        status: failure.code,
        text: failure.stdout + failure.stderr,
      }),
    );

  it('works as it says, step by step', async () => {
    let printed = '';
    const steps: Record<string, (block: Block) => Promise<void> | void> = {
      file: ({ argument, text }) => {
        mkdirSync(join(directory, dirname(argument)), { recursive: true });
        writeFileSync(join(directory, argument), text);
      },
      run: async ({ argument, text }) => {
        const { status, text: output } = await run(text);
        expect(`${text}${status}\n${output}`).toContain(`${text}${argument || 0}\n`);
        printed = output;
      },
      output: ({ text }) => expect(printed).toBe(text),
    };
    expect(blocks.length).toBeGreaterThan(15);
    for (const block of blocks) {
      await steps[block.verb]?.(block);
    }
    expect(await run('npx ecr-upload-proxy policy test my-policies')).toMatchObject({ status: 0 });
  });

  it('leaves no policy, case or command unrun', () => {
    const fences = guide.match(/^```(cedar|yaml|sh|text)$/gm) ?? [];
    expect(fences).toHaveLength(blocks.length);
  });

  it('lists every sample', () => {
    const listed = [...guide.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
    expect(listed).toEqual(expect.arrayContaining(readdirSync(join(root, 'examples/policies'))));
  });

  it('names every entity, action and member of the schema', () => {
    const schema = cedar.schemaToJson(readFileSync(join(root, 'policies/schema.cedarschema'), 'utf8'));
    if (schema.type === 'failure') {
      throw new Error('the schema does not parse');
    }
    const names = new Set<string>();
    const collect = (value: unknown, isNames = false): void => {
      if (typeof value !== 'object' || value === null) {
        return;
      }
      for (const [key, member] of Object.entries(value)) {
        if (isNames) {
          names.add(key);
        }
        collect(member, ['attributes', 'entityTypes', 'actions'].includes(key) && !Array.isArray(member));
      }
    };
    collect(schema.json);
    expect(names.size).toBeGreaterThan(25);
    expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(guide))).toEqual([]);
  });
});
