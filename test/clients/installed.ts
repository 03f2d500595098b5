// Which AWS clients test/clients/install has installed, and what becomes of the tests of one that is not there.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { StartClient } from '../support/aws-client.ts';
import { processClient } from '../support/process-client.ts';
import { awsCli } from './aws-cli.ts';

const installed = join(import.meta.dirname, '../../.local/clients');
const inVenv = (command: string) => join(installed, 'venv/bin', command);
const goProgram = join(installed, 'awslines');

type Installed = { name: string; file: string; start: StartClient };

export const boto3: Installed = {
  name: 'boto3',
  file: inVenv('python'),
  start: processClient(inVenv('python'), join(import.meta.dirname, 'python/boto3_lines.py')),
};

export const cli: Installed = { name: 'the AWS CLI', file: inVenv('aws'), start: awsCli(inVenv('aws')) };

export const go: Installed = { name: 'the AWS SDK for Go', file: goProgram, start: processClient(goProgram) };

/** Describes the tests of a client, or skips them with the reason; CI requires every client. */
export function withClient({ name, file }: Installed, tests: () => void): void {
  if (existsSync(file)) {
    tests();
    return;
  }
  const reason = `${name} is not installed: run test/clients/install, which says what it needs`;
  describe(name, () => {
    it('is tested', ({ skip }) => {
      if (process.env.CI) {
        throw new Error(reason);
      }
      skip(reason);
    });
  });
}
