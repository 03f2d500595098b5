// The command line, `npx ecr-upload-proxy`: one file per command in cli/commands/, listed here.

import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { exitStatusOf, report } from './failure.ts';

/** Loaded when they are called: the bridge has no use for the AWS SDK, nor `token` for a web server. */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['bridge', async () => (await import('./commands/bridge.ts')).bridge],
  ['push', async () => (await import('./commands/push.ts')).push],
  ['credentials', async () => (await import('./commands/credentials.ts')).credentials],
  ['policy', async () => (await import('./commands/policy.ts')).policy],
  ['sealing-key', async () => (await import('./commands/sealing-key.ts')).sealingKey],
  ['token', async () => (await import('./commands/token.ts')).token],
]);

/** @returns the exit status; what was wrong has been printed */
export async function run(args: readonly string[]): Promise<number> {
  const program = new Command('ecr-upload-proxy')
    .description(
      'Push container images into Amazon ECR through an ecr-upload-proxy, without AWS permissions.',
    )
    .version(packageJson.version)
    .showHelpAfterError();
  try {
    const called = commands.get(args[0] ?? '');
    for (const load of called ? [called] : commands.values()) {
      program.addCommand(await load());
    }
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    report(error);
    return exitStatusOf(error);
  }
}
