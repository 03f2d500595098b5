// `npm run registry-image`: writes the image that a registry endpoint on Fargate runs, from the code and the policies
// that are here, and says how it is named in the configuration.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { SourceProblem } from '../client/push/source-problem.ts';
import { ConfigurationError, contextKey } from '../lib/configuration/configuration.ts';
import { findConfiguration } from '../lib/configuration/configuration-file.ts';
import { serverBundle } from '../lib/functions/bundling.ts';
import { checkedPolicies, policySource } from '../lib/policies.ts';
import { projectRoot } from '../lib/project-root.ts';
import { writeImageLayout } from './image-layout.ts';

type Flags = { base: string; out: string; node?: string; configuration?: string };

const contextOf = z.looseObject({ context: z.looseObject({}).default({}) });
const membersOf = z.looseObject({ policyDirectory: z.string().optional() }).catch({});

/** Whatever else the configuration lacks yet: it is to name the image that is made here. */
async function policiesOf(configuration: string | undefined) {
  const { context } = contextOf.parse(JSON.parse(readFileSync(join(projectRoot, 'cdk.json'), 'utf8')));
  const { members } = await findConfiguration(configuration ?? context[contextKey]);
  return checkedPolicies(membersOf.parse(members).policyDirectory ?? policySource).files;
}

async function main(flags: Flags): Promise<void> {
  const { base, out, node } = flags;
  const bundle = serverBundle(await policiesOf(flags.configuration));
  const { contents, digest } = await writeImageLayout({ base, bundle, node, out });
  console.log(`Wrote ${out}. Push it, then put it into the configuration:

  npx ecr-upload-proxy push ${out} REPOSITORY:${contents}
  "image": "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:${contents}@${digest}"`);
}

await new Command('registry-image')
  .requiredOption(
    '--base <source>',
    'an OCI layout, or an archive, of an image with Node.js 24 for linux/arm64',
  )
  .requiredOption('--out <folder>', 'where the layout is written')
  .option('--node <path>', 'where the base has Node.js, if not where its entry point says')
  .option('--configuration <file>', `in place of "${contextKey}" in cdk.json, as of cdk’s --context`)
  .action((flags: Flags) =>
    main(flags).catch((error: unknown) => {
      if (!(error instanceof SourceProblem || error instanceof ConfigurationError)) {
        throw error;
      }
      console.error(error.message);
      process.exitCode = 1;
    }),
  )
  .parseAsync();
