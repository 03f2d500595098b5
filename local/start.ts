// `npm start`: serves the proxy locally until Ctrl-C, and says how to use it.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { accountOf } from './account.ts';
import { loopback } from './address.ts';
import { type LocalOptions, startLocal } from './local.ts';
import { localTokens } from './services/secrets.ts';

const usage = `Usage: npm start -- [--ecr-endpoint URL] [--upstream aws]

Serves the proxy from the synthesized template, with stand-ins for ECR, S3 and Secrets Manager, and the registry
endpoint before it.

  --ecr-endpoint URL  send layers to this ECR, not to the stand-in: as the account
                      AWS_ACCOUNT_ID in AWS_REGION, by default the stand-in's
  --upstream aws      send layers to Amazon ECR, with the AWS credentials of this shell;
                      needs AWS_REGION and AWS_ACCOUNT_ID
  --help              this text

  PORT           the proxy's port              8080
  ECR_PORT       the ECR stand-in's port       8081
  S3_PORT        the S3 stand-in's port        8082
  REGISTRY_PORT  the registry endpoint's port  8083
  LOCAL_DATA     where data is kept            .local
`;

/** What is wrong with how the program was called: printed in one line, with its exit status. */
class StartError extends Error {
  readonly exitStatus: number;
  constructor(message: string, exitStatus: number) {
    super(message);
    this.exitStatus = exitStatus;
  }
}

function readPort(name: string, fallback: number): number {
  const port = Number(process.env[name] ?? fallback);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) {
    return port;
  }
  throw new StartError(`${name} is ${process.env[name]}: expected a port, from 0 to 65535.`, 2);
}

function readAccount(upstream: string | undefined, ecrEndpoint: string | undefined) {
  const account = accountOf({ upstream, ecrEndpoint }, process.env);
  if (!account) {
    const flag = upstream === undefined ? '--ecr-endpoint takes' : '--upstream aws needs';
    throw new StartError(`${flag} AWS_REGION and AWS_ACCOUNT_ID (12 digits).`, 2);
  }
  return account;
}

function parseFlags() {
  try {
    const options = {
      'ecr-endpoint': { type: 'string' },
      upstream: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}\n\n${usage}`, 2);
  }
}

function readOptions(flags: ReturnType<typeof parseFlags>): LocalOptions & { registryPort: number } {
  const { upstream, 'ecr-endpoint': ecrEndpoint } = flags;
  if (upstream !== undefined && upstream !== 'aws') {
    throw new StartError(`--upstream ${upstream}: expected aws.\n\n${usage}`, 2);
  }
  if (ecrEndpoint !== undefined && !/^https?:$/.test(URL.parse(ecrEndpoint)?.protocol ?? '')) {
    throw new StartError(`--ecr-endpoint ${ecrEndpoint}: expected an http or https URL.`, 2);
  }
  return {
    port: readPort('PORT', 8080),
    ecrPort: readPort('ECR_PORT', 8081),
    s3Port: readPort('S3_PORT', 8082),
    registryPort: readPort('REGISTRY_PORT', 8083),
    dataDirectory: process.env.LOCAL_DATA ?? '.local',
    account: readAccount(upstream, ecrEndpoint),
    log: console.log,
    ...(upstream && { upstream }),
    ...(ecrEndpoint && { ecrEndpoint }),
  };
}

/** Looked at before the synthesis, which takes some seconds. */
async function refuseTakenPorts(options: ReturnType<typeof readOptions>) {
  const { port, ecrPort, s3Port, registryPort, ecrEndpoint, upstream } = options;
  const ports = {
    PORT: port,
    S3_PORT: s3Port,
    REGISTRY_PORT: registryPort,
    ...(!ecrEndpoint && !upstream && { ECR_PORT: ecrPort }),
  };
  for (const [variable, wanted] of Object.entries(ports)) {
    const probe = createServer().listen(wanted, loopback);
    await once(probe, 'listening').catch(({ code }: NodeJS.ErrnoException) => {
      const state = code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${code})`;
      throw new StartError(`Port ${wanted} ${state}: set ${variable} to a free one.`, 1);
    });
    await once(probe.close(), 'close');
  }
}

async function serve() {
  const flags = parseFlags();
  if (flags.help) {
    return console.log(usage);
  }
  const options = readOptions(flags);
  await refuseTakenPorts(options);
  console.log('Synthesizing the stack …');
  const local = await startLocal(options);

  // A second Ctrl-C finds no listener and ends the process at once.
  const end = () =>
    local.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  process.once('SIGINT', end).once('SIGTERM', end);

  const [token] = Object.values(localTokens);
  const host = local.registryUrl?.replace('http://', '');
  console.log(`
Proxy      ${local.proxyUrl}
ECR        ${local.ecrUrl ?? 'Amazon ECR'}, ${options.account?.accountId} in ${options.account?.region}
S3         ${local.s3Url}
Registry   ${local.registryUrl}
Log        ${local.logFile}
Tokens     ${Object.values(localTokens).join('\n           ')}
${options.ecrEndpoint || options.upstream ? '' : `Faults     ${local.ecrUrl}/_faults\n`}
Try it:

  curl -i ${local.proxyUrl}/ecr/layer-uploads \\
    -H 'Authorization: Bearer ${token}' \\
    -H 'Content-Type: application/json' \\
    -d '{"repositoryName":"team-a/app"}'

  docker login ${host} --username any --password ${token}
  docker push ${host}/team-a/app:1.0

Ctrl-C ends it.
`);
}

serve().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof StartError ? error.exitStatus : 1;
});
