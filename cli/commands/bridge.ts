// `bridge`: a registry on loopback that docker, podman, skopeo and similar tools push to; it sends everything to the proxy.

import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type HostName, hostNameOf } from '../../client/bridge/admission.ts';
import { identitiesOf, type LentToken } from '../../client/bridge/identities.ts';
import { defaultSessionBounds } from '../../client/bridge/upload-sessions.ts';
import { isLoopback } from '../../client/loopback.ts';
import type { TokenSource } from '../../client/proxy-client.ts';
import { defaultBounds } from '../../registry/front/bounds.ts';
import type { RegistryServer } from '../../registry/front/server.ts';
import { linesOf, lineWriter, surviveLostOutput } from '../bridge/request-log.ts';
import { serveBridge } from '../bridge/serve.ts';
import { addPushingOptions, type PushingFlags, proxyEndpointOf } from '../endpoint.ts';
import { CommandError } from '../failure.ts';
import { keepMemoryFlat } from '../flat-memory.ts';
import { tokenSource, tokenVariable } from '../token.ts';

type Flags = PushingFlags & {
  port: number;
  listen: string;
  socket?: string;
  hostName: HostName[];
  lendToken?: boolean;
  passwordFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  quiet?: boolean;
};

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port < 65_536) {
    return port;
  }
  throw new InvalidArgumentError('It is a number from 0 to 65535.');
}

function readHostName(text: string, before: HostName[]): HostName[] {
  const hostName = hostNameOf(text);
  if (hostName) {
    return [...before, hostName];
  }
  throw new InvalidArgumentError('It is a name or an address, with or without a port.');
}

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${file} cannot be read (${error.code}).`, { exitStatus: 2, cause: error });
  });

const whereTokens = `--token-file, --token-command or ${tokenVariable}`;

/** Beyond loopback the traffic is encrypted, and the token of the bridge is used only by those who know its password. */
function assertAccessIsSafe(flags: Flags, hasToken: boolean): void {
  const { listen, socket, lendToken = false, passwordFile, tlsCert, tlsKey } = flags;
  const beyond = socket === undefined && !isLoopback(listen);
  const hasPassword = passwordFile !== undefined;
  const refusals: [refused: boolean, message: string][] = [
    [(tlsCert === undefined) !== (tlsKey === undefined), '--tls-cert and --tls-key go together.'],
    [hasPassword && !hasToken, '--password-file guards the token of the bridge, and it has none.'],
    [
      lendToken && !hasToken,
      `--lend-token lends the token of the bridge, and it has none: give ${whereTokens}.`,
    ],
    [
      hasToken && !lendToken && !hasPassword,
      `The bridge has a token (${whereTokens}), and you have not said who may push with it: --lend-token says every user of this machine, --password-file who knows that password. Without a token each client logs in with its own.`,
    ],
    [
      beyond && lendToken,
      `--listen ${listen} with --lend-token would lend the bridge's token to everyone: give --password-file instead, or no token at all, so that each client logs in with its own.`,
    ],
    [
      beyond && tlsCert === undefined,
      `--listen ${listen} is open to the network: give --tls-cert and --tls-key as well.`,
    ],
  ];
  const refusal = refusals.find(([refused]) => refused);
  if (refusal) {
    throw new CommandError(refusal[1], { exitStatus: 2 });
  }
}

async function lentToken(
  { passwordFile }: Flags,
  token: TokenSource | undefined,
): Promise<LentToken | undefined> {
  if (token === undefined) {
    return undefined;
  }
  if (passwordFile === undefined) {
    return { token, to: 'everyone' };
  }
  const password = (await readText(passwordFile)).trim();
  if (password === '') {
    throw new CommandError(`${passwordFile} is empty.`, { exitStatus: 2 });
  }
  return { token, to: { password } };
}

/** Whoever pushes with the bridge's token is one client to the proxy, and has all the room there is. */
const oneClient = {
  bounds: { uploadsPerClient: defaultBounds.uploads },
  uploads: { uploadsPerClient: defaultSessionBounds.uploads },
};

async function start(flags: Flags): Promise<{ server: RegistryServer; lent: LentToken | undefined }> {
  const { port, listen, socket, hostName, registry, registryId, tlsCert, tlsKey } = flags;
  const proxy = proxyEndpointOf(flags);
  const token = tokenSource(flags);
  assertAccessIsSafe(flags, token !== undefined);
  const lent = await lentToken(flags, token);
  const tls =
    tlsCert !== undefined && tlsKey !== undefined
      ? { cert: await readText(tlsCert), key: await readText(tlsKey) }
      : undefined;
  const log = lineWriter();
  const server = await serveBridge({
    address: socket === undefined ? { host: listen, port } : { socket },
    tls,
    hostNames: hostName,
    identities: identitiesOf({ ...proxy, registry, lent }),
    registry,
    registryId,
    ...(lent && oneClient),
    ...(!flags.quiet && { onServed: (served) => linesOf(served).forEach(log) }),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') {
      throw error;
    }
    const message =
      socket === undefined
        ? `Port ${port} is in use: choose another with --port.`
        : `Something listens at ${socket} already, or it is no socket: choose another with --socket.`;
    throw new CommandError(message, { cause: error });
  });
  return { server, lent };
}

/** How long pushes under way may go on after the first Ctrl-C or SIGTERM. */
const maxClosingMs = 600_000;

/** A second Ctrl-C finds no listener and ends the process at once. */
function closeOnSignals(server: RegistryServer): void {
  const end = () => {
    process.off('SIGINT', end).off('SIGTERM', end);
    const uploads = server.uploadsUnderWay();
    if (uploads > 0) {
      console.log(
        `Uploads under way: ${uploads}. The bridge ends after them, or at once at a second Ctrl-C.`,
      );
    }
    server.close(maxClosingMs).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', end).on('SIGTERM', end);
}

function whoPushes(lent: LentToken | undefined, { socket }: Flags): string {
  if (!lent) {
    return "each client's own: it logs in with any user name, and its token as the password";
  }
  if (lent.to !== 'everyone') {
    return "the bridge's: clients log in with any user name, and the password of the bridge";
  }
  const everyone = socket === undefined ? 'every user of this machine' : `every user who may open ${socket}`;
  return `the bridge's, lent: nobody can log in here, and ${everyone} may push with it`;
}

function howToPush({ url }: RegistryServer, lent: LentToken | undefined): string {
  if (url.startsWith('unix:')) {
    return `  curl --unix-socket ${url.slice('unix:'.length)} http://localhost/v2/`;
  }
  const { host, protocol } = new URL(url);
  const login = lent?.to === 'everyone' ? [] : [`  docker login ${host} -u any`];
  return [
    ...login,
    `  docker tag app:1.0 ${host}/team-a/app:1.0 && docker push ${host}/team-a/app:1.0`,
    `  skopeo copy --dest-tls-verify=${protocol === 'https:'} docker-archive:image.tar docker://${host}/team-a/app:1.0`,
  ].join('\n');
}

export const bridge = addPushingOptions(
  new Command('bridge').description(
    'Serve a registry that container tools push to; what they push goes through the proxy.',
  ),
)
  .option('--port <port>', 'the port to listen on; 0 takes any free one', readPort, 5000)
  .option('--listen <address>', 'listen here; beyond loopback TLS and a login are demanded', '127.0.0.1')
  .addOption(
    new Option('--socket <path>', 'listen at this Unix socket, which is yours alone').conflicts([
      'port',
      'listen',
    ]),
  )
  .addOption(
    new Option(
      '--host-name <name[:port]>',
      "a name by which clients know the bridge, besides localhost, its address and its certificate's; repeatable",
    )
      .argParser(readHostName)
      .default([], 'none'),
  )
  .option('--lend-token', 'every user of this machine may push with that token, and nobody can log in')
  .addOption(
    new Option(
      '--password-file <file>',
      'clients that log in with the password in this file may push with that token',
    ).conflicts('lendToken'),
  )
  .option('--tls-cert <file>', 'the certificate, with its chain, as PEM')
  .option('--tls-key <file>', "the certificate's key, as PEM")
  .option('--quiet', 'no line for each request')
  .addHelpText(
    'after',
    `
Without a token each client logs in with its own, as the password; one bridge serves many clients.
A token (${whereTokens})
is lent to those whom --password-file or --lend-token says.

Exit status: 0 after Ctrl-C, 1 when it cannot serve, 2 when it was called wrongly.`,
  )
  .action(async (flags: Flags) => {
    keepMemoryFlat();
    surviveLostOutput();
    const { server, lent } = await start(flags);
    closeOnSignals(server);
    console.log(`Registry   ${server.url}
Proxy      ${flags.endpoint}
Token      ${whoPushes(lent, flags)}

Push to it, for example:

${howToPush(server, lent)}

Ctrl-C ends it.
`);
  });
