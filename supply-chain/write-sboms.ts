// `npm run sbom`: writes the bills of materials into dist/sbom, which goes with the package.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../lib/project-root.ts';
import { makeShippedSboms } from './shipped-sboms.ts';

const directory = join(projectRoot, 'dist', 'sbom');
mkdirSync(directory, { recursive: true });
for (const [name, text] of Object.entries(await makeShippedSboms())) {
  writeFileSync(join(directory, name), text);
}
