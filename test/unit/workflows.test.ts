// The workflows: whose code runs in them, and what it may do there.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../lib/project-root.ts';
import packageJson from '../../package.json' with { type: 'json' };

const directory = join(projectRoot, '.github/workflows');

const permissions = z.record(z.string(), z.enum(['read', 'write', 'none']));
const workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions,
  jobs: z.record(
    z.string(),
    z.object({
      'timeout-minutes': z.number(),
      permissions: permissions.optional(),
      steps: z.array(
        z.object({
          uses: z.string().optional(),
          run: z.string().optional(),
          with: z.record(z.string(), z.unknown()).default({}),
        }),
      ),
    }),
  ),
});

const workflows = readdirSync(directory).map((name) => {
  const text = readFileSync(join(directory, name), 'utf8');
  const { on, permissions: common, jobs } = workflow.parse(parse(text));
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  return { name, text, on, common, jobs, steps };
});

describe('the workflows', () => {
  it.each(workflows)('$name takes actions by commit, with the version beside it', ({ text }) => {
    const uses = text.split('\n').filter((line) => /\buses:/.test(line));
    expect(uses.filter((line) => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual(
      [],
    );
    expect(uses).not.toEqual([]);
  });

  it.each(workflows)('$name may write nothing, but its publishing job a proof of its identity', (one) => {
    const granted = Object.entries(one.jobs).flatMap(([job, { permissions: own = one.common }]) =>
      Object.entries(own).map(([scope, access]) => `${job} ${scope}: ${access}`),
    );
    const allowed = ['checks contents: read', 'build contents: read', 'publish id-token: write'];
    expect(granted.filter((grant) => !allowed.includes(grant))).toEqual([]);
  });

  it.each(workflows)(
    '$name gives a stranger’s change no rights, and puts no text of his into a script',
    (one) => {
      expect(Object.keys(one.on).filter((event) => !['push', 'pull_request'].includes(event))).toEqual([]);
      expect(one.text).not.toMatch(/secrets\./);
      for (const { run = '' } of one.steps) {
        expect(run).not.toContain('${{');
      }
    },
  );

  it.each(workflows)('$name leaves no credentials behind a checkout', ({ steps }) => {
    for (const step of steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'))) {
      expect(step.with['persist-credentials']).toBe(false);
    }
  });

  it('run all checks before anything is published', () => {
    const release = workflows.find(({ name }) => name === 'release.yml');
    expect(release?.jobs.build?.steps.map(({ run }) => run)).toContain('.ci/run');
    expect(release?.text).toMatch(/^ {4}needs: build$/m);
  });

  it('run none of the project’s code where they may speak for it', () => {
    const steps = workflows.flatMap(({ jobs }) => jobs.publish?.steps ?? []);
    expect(steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'))).toEqual([]);
    expect(steps.flatMap(({ run = [] }) => run)).toEqual([
      'npm publish ./*.tgz --provenance --access public --ignore-scripts',
    ]);
  });
});

describe('the package', () => {
  it('cannot be published from anywhere else: it asks for a proof that only the workflow can give', () => {
    expect(packageJson.publishConfig).toEqual({ access: 'public', provenance: true });
  });
});
