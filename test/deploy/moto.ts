// An AWS account on loopback: moto's server, with the CDK CLI and the AWS SDK pointed at it.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pythonTool } from './python.ts';

const projectRoot = join(import.meta.dirname, '../..');
const startTimeoutMs = 180_000;
const cdkTimeoutMs = 600_000;

/** The account that moto is. */
export const account = { accountId: '123456789012', region: 'eu-central-1' };

/**
 * What the CDK CLI is told once for an account.
 *
 * @param output where the CLI synthesizes what it does not need then: no other may at the same time
 */
export const bootstrap = (output: string): string[] => [
  'bootstrap',
  `aws://${account.accountId}/${account.region}`,
  '--output',
  output,
];

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) {
    throw new Error('no port');
  }
  return address.port;
}

const answers = async (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/**
 * @param logFile takes what moto prints
 * @param asPublished without what moto-server.py adds
 */
export async function startMoto(logFile: string, { asPublished = false } = {}) {
  const port = await freePort();
  // By this name: the SDKs put a bucket's name before an endpoint's, which moto takes apart again.
  const url = `http://localhost:${port}`;
  const published = pythonTool('moto_server');
  const script = asPublished ? published : join(import.meta.dirname, 'moto-server.py');
  const python = join(dirname(published), 'python');
  const server = spawn(python, [script, '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(logFile);
  server.stdout.pipe(log);
  server.stderr.pipe(log);

  const deadline = Date.now() + startTimeoutMs;
  while (!(await answers(`${url}/moto-api/data.json`))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      server.kill();
      throw new Error(`moto did not start: ${logFile}`);
    }
    await sleep(200);
  }

  const environment = {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: account.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const cli = join(projectRoot, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  return {
    /** For an SDK client. */
    clientConfig: {
      endpoint: url,
      region: account.region,
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    },
    /** For services that no SDK client is installed for. */
    askInJson: async (service: string, target: string, body: object): Promise<unknown> => {
      const scope = `local/20260101/${account.region}/${service}/aws4_request`;
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
        // moto reads region and service from it, and checks nothing.
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      };
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
      const answer = await response.text();
      if (!response.ok) {
        throw new Error(`${target}: ${response.status} ${answer}`);
      }
      return JSON.parse(answer);
    },
    /** Runs the CDK CLI; rejects with what it said when it fails. */
    cdk: async (...args: string[]): Promise<void> => {
      await promisify(execFile)(process.execPath, [cli, ...args], {
        cwd: projectRoot,
        timeout: cdkTimeoutMs,
        env: {
          HOME: process.env.HOME,
          PATH: process.env.PATH,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          CI: 'true',
          ...environment,
        },
      }).catch(({ stdout, stderr }: { stdout: string; stderr: string }) => {
        throw new Error(`cdk ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
      });
    },
    close: async () => {
      server.kill();
      if (server.exitCode === null && server.signalCode === null) {
        await once(server, 'exit');
      }
    },
  };
}

export type Moto = Awaited<ReturnType<typeof startMoto>>;
