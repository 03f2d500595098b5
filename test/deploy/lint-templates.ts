// `npm run lint:templates`: cfn-lint over the template of every main configuration.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationNames, configurations, synthesize } from '../support/stacks.ts';
import { pythonTool } from './python.ts';

const directory = join(import.meta.dirname, '../../.local/templates');
mkdirSync(directory, { recursive: true });
const files = configurationNames.map((name) => {
  const file = join(directory, `${name}.template.json`);
  const { template } = synthesize(configurations[name]);
  writeFileSync(file, JSON.stringify(template.toJSON(), null, 2));
  return file;
});

const { status } = spawnSync(pythonTool('cfn-lint'), ['--', ...files], {
  stdio: 'inherit',
});
console.log(
  `cfn-lint: ${files.length} templates, ${status === 0 ? 'nothing found' : `exit status ${status}`}`,
);
process.exitCode = status ?? 1;
