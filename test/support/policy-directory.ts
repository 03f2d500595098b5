// Policy directories of a test's own, in the temporary folder.

import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policySource } from '../../lib/policies.ts';

/** Text by file name. */
type Files = Readonly<Record<string, string>>;

function make(source: string, files: Files): string {
  const directory = mkdtempSync(join(tmpdir(), 'policies-'));
  cpSync(join(policySource, source), join(directory, source), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** These files, and the schema that deploys. */
export const policiesOf = (files: Files): string => make('schema.cedarschema', files);

/** These files, beside all that deploys. */
export const policiesBeside = (files: Files): string => make('.', files);
