// `bridge`: a registry on loopback that docker, podman, skopeo and their like push to, and the proxy behind it.

import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { type Endpoint, startEndpoint } from '../../client/registry/endpoint.ts';
import { identitiesOf } from '../../client/registry/identities.ts';
import type { Registry } from '../../lambda/registries.ts';
import { endpointOption, registryIdOption, registryOption } from '../endpoint.ts';
import { CommandError } from '../failure.ts';
import { keepMemoryFlat } from '../flat-memory.ts';
import { tokenCommandFlag, tokenFileFlag, tokenSource, tokenVariable } from '../token.ts';

type Flags = {
  endpoint: string;
  registry: Registry;
  registryId?: string;
  port: number;
  listen: string;
  tokenFile?: string;
  tokenCommand?: string;
  passwordFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  quiet?: boolean;
};

const readPort = (text: string): number => {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) return port;
  throw new InvalidArgumentError('It is a number from 0 to 65535.');
};

const read = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((failure: NodeJS.ErrnoException) => {
    throw new CommandError(`${file} cannot be read (${failure.code}).`, { exitStatus: 2, cause: failure });
  });

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Beyond loopback nobody listens in, and nobody uses the bridge's token who was not told its password. */
function refuseOpenDoors({ listen, tlsCert, tlsKey, passwordFile }: Flags, hasOwnToken: boolean): void {
  const refuse = (message: string): never => {
    throw new CommandError(message, { exitStatus: 2 });
  };
  if ((tlsCert === undefined) !== (tlsKey === undefined)) refuse('--tls-cert and --tls-key go together.');
  if (passwordFile !== undefined && !hasOwnToken)
    refuse('--password-file guards the token of the bridge, and it has none: each client brings its own.');
  if (isLoopback(listen)) return;
  if (tlsCert === undefined)
    refuse(`--listen ${listen} is open to the network: give --tls-cert and --tls-key as well.`);
  if (hasOwnToken && passwordFile === undefined)
    refuse(
      `--listen ${listen} would lend the bridge's token to everyone: give --password-file, or no token at all, so that each client brings its own.`,
    );
}

async function start(flags: Flags): Promise<{ endpoint: Endpoint; ownToken: boolean }> {
  const { port, listen, passwordFile, tlsCert, tlsKey } = flags;
  const ownToken = tokenSource(flags);
  refuseOpenDoors(flags, ownToken !== undefined);
  const password = passwordFile === undefined ? undefined : (await read(passwordFile)).trim();
  if (password === '') throw new CommandError(`${passwordFile} is empty.`, { exitStatus: 2 });
  const tls =
    tlsCert !== undefined && tlsKey !== undefined
      ? { cert: await read(tlsCert), key: await read(tlsKey) }
      : undefined;
  const identities = identitiesOf({ endpoint: flags.endpoint, registry: flags.registry, ownToken, password });
  const endpoint = await startEndpoint({
    address: { host: listen, port },
    tls,
    identities,
    registry: flags.registry,
    registryId: flags.registryId,
    ...(!flags.quiet && { log: console.log }),
  }).catch((failure: NodeJS.ErrnoException) => {
    if (failure.code === 'EADDRINUSE')
      throw new CommandError(`Port ${port} is in use: choose another with --port.`, { cause: failure });
    throw failure;
  });
  return { endpoint, ownToken: ownToken !== undefined };
}

/** A second Ctrl-C finds no listener and ends the process at once. */
function closeOnSignals(endpoint: Endpoint): void {
  const end = () =>
    endpoint.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  process.once('SIGINT', end).once('SIGTERM', end);
}

export const bridge = new Command('bridge')
  .description('Serve a registry that container tools push to; what they push goes through the proxy.')
  .addOption(endpointOption())
  .option('--port <port>', 'the port to listen on; 0 takes any free one', readPort, 5000)
  .option(tokenFileFlag, 'push with the token in this file, read again when it expires')
  .option(tokenCommandFlag, 'push with the token that this shell command prints, run again when it expires')
  .addOption(registryOption())
  .addOption(registryIdOption())
  .option('--listen <address>', 'listen here; beyond loopback TLS and a password are demanded', '127.0.0.1')
  .option('--tls-cert <file>', 'the certificate, with its chain, as PEM')
  .option('--tls-key <file>', "the certificate's key, as PEM")
  .option('--password-file <file>', "the password that clients log in with to use the bridge's token")
  .option('--quiet', 'no line for each request')
  .addHelpText(
    'after',
    `
A client that logs in pushes with its password as its token; one that does not, with the bridge's token:
that of --token-file or --token-command, or else of ${tokenVariable}. One bridge serves many clients.

Exit status: 0 after Ctrl-C, 1 when it cannot serve, 2 when it was called wrongly.`,
  )
  .action(async (flags: Flags) => {
    keepMemoryFlat();
    const { endpoint, ownToken } = await start(flags);
    closeOnSignals(endpoint);
    const host = new URL(endpoint.url).host;
    console.log(`Registry   ${endpoint.url}
Proxy      ${flags.endpoint}
Token      ${ownToken ? "the bridge's; a client that logs in uses its own" : "each client's own, as its password"}

Push to it, for example:

  skopeo copy --dest-tls-verify=${endpoint.url.startsWith('https')} docker-archive:image.tar docker://${host}/team-a/app:1.0
  docker tag app:1.0 ${host}/team-a/app:1.0 && docker push ${host}/team-a/app:1.0

Ctrl-C ends it.
`);
  });
