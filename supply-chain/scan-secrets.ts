// `npm run secrets`: fails if a file of the work tree holds a secret; with `-- --history`, if the history does.

import { parseArgs } from 'node:util';
import { projectRoot } from '../lib/project-root.ts';
import { readHistory, readWorkTree } from './git-files.ts';
import { findSecrets } from './secrets.ts';

const { values } = parseArgs({ options: { history: { type: 'boolean', default: false } } });

const found: string[] = [];
for (const { path, bytes } of [
  ...readWorkTree(projectRoot),
  ...(values.history ? readHistory(projectRoot) : []),
]) {
  found.push(...(await findSecrets(path, bytes)));
}
if (found.length > 0) {
  console.error(
    `${found.join('\n')}\nRevoke what is real and remove it. What is no secret: allow it in supply-chain/secrets.ts.`,
  );
  process.exitCode = 1;
}
