// `push`: an image, an index or an artifact from a layout or an archive through the proxy, without a container tool.

import { Command, InvalidArgumentError, Option } from 'commander';
import { LayerProblem } from '../../client/layer-problem.ts';
import { printable, shown } from '../../client/printable.ts';
import { ProxyProblem } from '../../client/problem.ts';
import { ProxyClient } from '../../client/proxy-client.ts';
import { type Chosen, chooseImages } from '../../client/push/choice.ts';
import { readPlatform } from '../../client/push/platform.ts';
import { type Progress, progressBars, progressLines } from '../../client/push/progress.ts';
import { type PushedManifest, type PushReport, pushImages } from '../../client/push/push-images.ts';
import { isTag } from '../../client/push/reference.ts';
import { openSource } from '../../client/push/source.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { TokenProblem } from '../../client/token-problem.ts';
import { Uploader } from '../../client/uploader.ts';
import { addPushingOptions, type PushingFlags, proxyEndpointOf } from '../endpoint.ts';
import { CommandError } from '../failure.ts';
import { tokenSource, tokenVariable } from '../token.ts';

type Flags = PushingFlags & {
  image?: string;
  platform?: string;
  all?: boolean;
  jobs: number;
  maxUnpackedSize?: number;
  json?: boolean;
};

const exitStatuses = { usage: 2, refused: 3, unavailable: 4, SIGINT: 130, SIGTERM: 143 } as const;

function readJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs > 0 && jobs <= 64) {
    return jobs;
  }
  throw new InvalidArgumentError('It is a number from 1 to 64.');
}

const unitBytes = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

function readSize(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,15})(.*)$/.exec(text) ?? [];
  const found = Object.entries(unitBytes).find(([name]) => name === unit);
  const bytes = Number(number) * (found?.[1] ?? 0);
  if (bytes > 0 && Number.isSafeInteger(bytes)) {
    return bytes;
  }
  throw new InvalidArgumentError('It is a number of bytes, or of KiB, MiB, GiB or TiB: 32GiB.');
}

/** The colon begins the tag; names of repositories have none. */
function readDestination(text: string): { repositoryName: string; tag: string | undefined } {
  const [repositoryName = '', tag, ...rest] = text.split(':');
  const isTagged = tag === undefined || isTag(tag);
  if (repositoryName === '' || repositoryName.includes('@') || !isTagged || rest.length > 0) {
    throw new CommandError(`${text} is no DESTINATION[:TAG], such as team-a/app:1.0.`, {
      exitStatus: exitStatuses.usage,
    });
  }
  return { repositoryName, tag };
}

/** The failure with its exit status and what to do about it. */
function commandErrorOf(thrown: unknown): unknown {
  if (thrown instanceof SourceProblem || thrown instanceof TokenProblem) {
    return new CommandError(`${thrown.message}.`, { exitStatus: exitStatuses.usage, cause: thrown });
  }
  if (thrown instanceof LayerProblem && thrown.code === 'EmptyLayer') {
    return new CommandError(`${thrown.message}.`, { exitStatus: exitStatuses.usage, cause: thrown });
  }
  if (thrown instanceof LayerProblem) {
    return new CommandError(`${thrown.message}. Run the same command again.`, { cause: thrown });
  }
  if (!(thrown instanceof ProxyProblem)) {
    return thrown;
  }
  return thrown.retryable || thrown.status === undefined
    ? new CommandError(`${thrown.message}. What was sent is kept: run the same command again.`, {
        exitStatus: exitStatuses.unavailable,
        cause: thrown,
      })
    : new CommandError(`${thrown.message}.`, { exitStatus: exitStatuses.refused, cause: thrown });
}

/** On standard error, so that standard output is the report's. */
function progressOf({ json }: Flags): Progress {
  if (json) {
    return { begin: () => () => {}, end: () => {} };
  }
  return process.stderr.isTTY ? progressBars() : progressLines((line) => console.error(line));
}

type Pushed = PushReport & Pick<Chosen, 'notes'> & { source: string; repositoryName: string };

async function run(source: string, destination: string, flags: Flags, signal: AbortSignal): Promise<Pushed> {
  const { repositoryName, tag } = readDestination(destination);
  const { registry, registryId, jobs, image, all, maxUnpackedSize: maxUnpackedBytes } = flags;
  const platform = flags.platform === undefined ? undefined : readPlatform(flags.platform);
  const token = tokenSource(flags);
  if (token === undefined) {
    throw new CommandError(`No token: set ${tokenVariable}, or give --token-file or --token-command.`, {
      exitStatus: exitStatuses.usage,
    });
  }
  const client = new ProxyClient({ ...proxyEndpointOf(flags), registry, token, signal });
  const images = await openSource(source, { input: process.stdin, maxUnpackedBytes, signal });
  try {
    const chosen = await chooseImages(images, { tag, image, platform, all });
    for (const note of chosen.notes) {
      console.error(printable(`Note: ${note}.`));
    }
    const report = await pushImages(chosen, {
      uploader: new Uploader(client),
      destination: { repositoryName, registryId },
      jobs,
      progress: progressOf(flags),
      signal,
    });
    return { source, repositoryName, ...report, notes: chosen.notes };
  } finally {
    await images.close();
  }
}

function print({ layers, images, ...rest }: Pushed, { json }: Flags): void {
  if (json) {
    // `tag` is what there was before an image could have several.
    const withTag = images.map((image) => ({ ...image, tag: image.tags[0] }));
    console.log(JSON.stringify({ ...rest, layers, images: withTag }));
    return;
  }
  const sent = layers.filter(({ outcome }) => outcome === 'pushed');
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  console.log(`${sent.length} of ${layers.length} layers sent, ${bytes} bytes; the others were there.`);
  for (const image of images) {
    for (const tag of image.tags.length > 0 ? image.tags.map((one) => `:${one}`) : ['']) {
      console.log(printable(`${rest.repositoryName}${tag}@${image.digest}${originOf(image)}`));
    }
  }
}

/** What is known of where it comes from, in brackets. */
function originOf({ names, platform, index, subject }: PushedManifest): string {
  const origin = [
    platform,
    names.length > 0 ? `from ${names.map(shown).join(', ')}` : undefined,
    index && `of ${index.slice(0, 19)}`,
    subject && `refers to ${subject.slice(0, 19)}`,
  ].filter((one) => one !== undefined);
  return origin.length > 0 ? ` (${origin.join('; ')})` : '';
}

export const push = addPushingOptions(
  new Command('push').description('Push an image, an index of several or an artifact through the proxy.'),
)
  // commander's own is 1 for what is called wrongly; it has printed why.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitStatuses.usage))
  .argument(
    '<source>',
    'an OCI layout, or what docker, podman, skopeo or buildx saved: a directory, an archive, or - for an archive on stdin',
  )
  .argument('<destination[:tag]>', "a repository, and a tag; without one, the source's own")
  .option('--image <name>', 'the one to push of several: its name, tag or digest in the source')
  .option(
    '--platform <os/arch[/variant]>',
    'the one to push of several platforms, such as linux/arm64: its manifest gets the tag, no index does',
  )
  .addOption(
    new Option('--all', 'all that the source holds, also of an index that is not whole').conflicts([
      'image',
      'platform',
    ]),
  )
  .option('--jobs <number>', 'how many layers are under way at once', readJobs, 4)
  .option(
    '--max-unpacked-size <size>',
    'how much disk a compressed archive, or standard input, may take unpacked, such as 32GiB (default: 16GiB; 200 times its own size, and 256MiB at least, for a compressed one)',
    readSize,
  )
  .option('--json', 'print what was pushed as one JSON document, and no progress')
  .addHelpText(
    'after',
    `
The token is that of --token-file or --token-command, or else of ${tokenVariable}.
Only what is missing is sent: the same command again goes on where a failed one stopped.
Of a source of several images, each gets its own tag where none is given; a tag that is given is for one.

Examples:
  push image.tar team-a/app:1.0
  push image.tar team-a/app:1.0 --image app:1.0
  push layout/ team-a/app:1.0-arm64 --platform linux/arm64
  docker save app:1.0 | npx ecr-upload-proxy push - team-a/app:1.0

Exit status:
  0    what was asked for is there, each tag with its image
  1    a fault: its message says which
  ${exitStatuses.usage}    called wrongly, or the source is damaged or too large, holds no image, or several where one is meant
  ${exitStatuses.refused}    refused by the proxy or by ECR: the policy, the token, a tag that cannot be moved
  ${exitStatuses.unavailable}    the proxy cannot be reached, or asks for a slower pace: run it again
  ${exitStatuses.SIGINT}  ended by Ctrl-C (${exitStatuses.SIGTERM}: by SIGTERM); nothing is broken, run it again`,
  )
  .action(async (source: string, destination: string, flags: Flags) => {
    const interruption = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () =>
        interruption.abort(new CommandError(`ended by ${name}`, { exitStatus: exitStatuses[name] })),
      );
    }
    try {
      print(await run(source, destination, flags, interruption.signal), flags);
    } catch (error) {
      throw interruption.signal.aborted ? interruption.signal.reason : commandErrorOf(error);
    }
  });
