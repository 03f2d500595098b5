#!/usr/bin/env node
// The command line, `npx ecr-upload-proxy`: one file per command in cli/commands/, listed here.

import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { bridge } from './commands/bridge.ts';
import { credentials } from './commands/credentials.ts';
import { policy } from './commands/policy.ts';
import { push } from './commands/push.ts';
import { token } from './commands/token.ts';
import { exitStatusOf, report } from './failure.ts';

const program = new Command('ecr-upload-proxy')
  .description('Push container images into Amazon ECR through an ecr-upload-proxy, without AWS permissions.')
  .version(packageJson.version)
  .showHelpAfterError()
  .addCommand(bridge)
  .addCommand(push)
  .addCommand(credentials)
  .addCommand(policy)
  .addCommand(token);

try {
  await program.parseAsync();
} catch (failure) {
  report(failure);
  process.exitCode = exitStatusOf(failure);
}
