// `npm run verify:aws`: what docs/aws-assumptions.md believes of AWS, tried on a deployed stack.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ECR } from '@aws-sdk/client-ecr';
import { resourceApi, type Send } from '../support/resource-api.ts';
import { checks, type Result, verify } from './verify.ts';

const usage = `PROXY_URL=… PROXY_TOKEN=… PROXY_REPOSITORY=… npm run verify:aws

PROXY_URL         the address of a deployed proxy, the output ProxyUrl
PROXY_TOKEN       a token that may push to the repository
PROXY_REPOSITORY  a repository that may get some small layers without an image

REGISTRY_HOST     the host of a registry endpoint, the output RegistryHost: it is checked as well, with layers of
                  100 MB, 2 GB and 10 GB, or of REGISTRY_MAX_LAYER_BYTES where that is less

With AWS credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and its fellows) and AWS_REGION, Amazon ECR is asked
as well. The exit status is 1 when a belief does not hold.`;

const page = readFileSync(join(import.meta.dirname, '../../docs/aws-assumptions.md'), 'utf8');
const beliefs = new Map(
  [...page.matchAll(/^\| (\d+) \| (.*?) \|/gm)].map(([, row, belief]) => [Number(row), belief ?? '']),
);

const word = (holds: boolean | undefined) =>
  holds === undefined ? 'told    ' : holds ? 'holds   ' : 'HOLDS NOT';

const print = ({ row, holds, saw }: Result) =>
  console.log(`${String(row).padStart(3)}  ${word(holds)}  ${beliefs.get(row)}\n     saw: ${saw}`);

async function main() {
  const { PROXY_URL, PROXY_TOKEN: token, PROXY_REPOSITORY: repositoryName, ...environment } = process.env;
  if (!PROXY_URL || !token || !repositoryName) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const send: Send = (path, init) => fetch(PROXY_URL.replace(/\/$/, '') + path, init);
  const { REGISTRY_HOST: host, REGISTRY_MAX_LAYER_BYTES: most } = environment;
  const url = host?.includes('://') ? host : `https://${host}`;
  const registry = host
    ? { url, token, repositoryName, maxLayerBytes: Number(most ?? Number.MAX_SAFE_INTEGER) }
    : undefined;
  const withEcr = Boolean(environment.AWS_PROFILE ?? environment.AWS_ACCESS_KEY_ID);
  const results = await verify(
    {
      send,
      client: resourceApi(send, token, repositoryName),
      token,
      repositoryName,
      ecr: new ECR({ maxAttempts: 2 }),
    },
    { withEcr, registry, report: print },
  );
  const failed = results.filter(({ holds }) => holds === false);
  const left = [...beliefs.keys()].filter((row) => !results.some((result) => result.row === row));
  const untried = (needs: string) =>
    left.filter((row) => checks.some((check) => check.row === row && check.needs === needs)).join(', ');
  const byHand = left.filter((row) => !checks.some((check) => check.row === row));
  console.log(`
${results.filter(({ holds }) => holds).length} hold, ${failed.length} hold not${failed.length > 0 ? `: ${failed.map(({ row }) => row).join(', ')}` : ''}
By hand, as docs/aws-assumptions.md says: ${byHand.join(', ')}${withEcr ? '' : `\nNot tried without AWS credentials: ${untried('ecr')}`}${registry ? '' : `\nNot tried without REGISTRY_HOST: ${untried('registry')}`}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

await main();
