// The checks of a deployed registry endpoint: what its host does to headers, to bodies of any length, and to answers.

import { createHash } from 'node:crypto';
import { randomBytes } from '../support/random-bytes.ts';
import type { Check, Finding, RegistryEndpoint } from './check.ts';

const chunkBytes = 1_048_576;
const layerSizes = [100_000_000, 2_000_000_000, 10_000_000_000];
/** Of the header as a whole. */
const headerSizes = [2_000, 4_000, 8_000, 16_000];
const patienceMs = 30_000;

const basic = (token: string) => ({
  authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}`,
});

/** OCI's errors, and neither a load balancer's HTML nor a dropped connection. */
async function seen(answer: Promise<Response>): Promise<{ status: number; isOci: boolean; text: string }> {
  try {
    const response = await answer;
    const isOci = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, isOci, text: `${response.status}${isOci ? '' : ', not of OCI’s'}` };
  } catch (error) {
    return { status: 0, isOci: false, text: `no answer: ${error}` };
  }
}

async function begin({ url, token, repositoryName }: RegistryEndpoint): Promise<URL> {
  const response = await fetch(`${url}/v2/${repositoryName}/blobs/uploads/`, {
    method: 'POST',
    headers: basic(token),
  });
  return new URL(response.headers.get('location') ?? '', url);
}

/** A layer in one PATCH without a length, as docker sends it, and the PUT that ends it. */
async function push(endpoint: RegistryEndpoint, bytes: number): Promise<Finding & { digest: string }> {
  const { url, token } = endpoint;
  const hash = createHash('sha256');
  async function* chunks() {
    for (let left = bytes; left > 0; left -= chunkBytes) {
      const chunk = randomBytes(Math.min(left, chunkBytes));
      hash.update(chunk);
      yield chunk;
    }
  }
  const headers = { ...basic(token), 'content-type': 'application/octet-stream' };
  const body = ReadableStream.from(chunks());
  const started = performance.now();
  const patched = await fetch(await begin(endpoint), { method: 'PATCH', headers, body, duplex: 'half' });
  const digest = `sha256:${hash.digest('hex')}`;
  const end = new URL(patched.headers.get('location') ?? '', url);
  end.searchParams.set('digest', digest);
  const ended = performance.now();
  const put = await fetch(end, { method: 'PUT', headers: basic(token) });
  const seconds = (from: number) => ((performance.now() - from) / 1_000).toFixed(1);
  const saw = `${bytes} bytes: PATCH ${patched.status}, PUT ${put.status} in ${seconds(ended)} s, ${seconds(started)} s in all`;
  return { holds: patched.status === 202 && put.status === 201, saw, digest };
}

export const registryChecks: readonly Check[] = [
  {
    row: 53,
    needs: 'registry',
    run: async ({ registry }) => {
      const answers = await Promise.all(
        headerSizes.map(async (size) => {
          const headers = { authorization: `Bearer ${'x'.repeat(size - 'Bearer '.length)}` };
          const { status, isOci, text } = await seen(fetch(`${registry.url}/v2/`, { headers }));
          return { holds: status === 401 && isOci, text: `${size}: ${text}` };
        }),
      );
      return {
        holds: answers.every(({ holds }) => holds),
        saw: answers.map(({ text }) => text).join('; '),
      };
    },
  },
  {
    row: 54,
    needs: 'registry',
    run: async ({ registry }) => {
      const sizes = new Set(layerSizes.map((size) => Math.min(size, registry.maxLayerBytes)));
      const findings: Finding[] = [];
      for (const size of sizes) {
        findings.push(await push(registry, size));
      }
      return {
        holds: findings.every(({ holds }) => holds),
        saw: findings.map(({ saw }) => saw).join('; '),
      };
    },
  },
  {
    row: 55,
    needs: 'registry',
    run: async ({ registry }) => {
      const { url, token, repositoryName } = registry;
      const { digest } = await push(registry, 20);
      const head = await fetch(`${url}/v2/${repositoryName}/blobs/${digest}`, {
        method: 'HEAD',
        headers: basic(token),
      });
      return { holds: head.status === 200, saw: `HEAD ${head.status}` };
    },
  },
  {
    row: 56,
    needs: 'registry',
    run: async ({ registry }) => {
      const location = await begin(registry);
      const { status, isOci, text } = await seen(
        fetch(location, {
          method: 'PATCH',
          headers: basic('none'),
          body: randomBytes(Math.min(registry.maxLayerBytes, 16_777_216)),
          signal: AbortSignal.timeout(patienceMs),
        }),
      );
      return { holds: status === 401 && isOci, saw: text };
    },
  },
];
