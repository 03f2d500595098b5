// A running ECR stand-in for a test, with the AWS SDK's own clients for it and layers to push to it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ECR } from '@aws-sdk/client-ecr';
import { ECRPUBLIC } from '@aws-sdk/client-ecr-public';
import { type EcrOptions, startEcr } from '../../local/ecr/server.ts';
import { manifestOf, ociManifest } from './manifests.ts';
import { digestOf, randomBytes } from './random-bytes.ts';

export const accountId = '123456789012';
export const publicAlias = 'x1y2z3a4';
export const mebibyte = 1_048_576;

export const repositories: EcrOptions['repositories'] = [
  { registry: 'ecr', repositoryName: 'team/app' },
  { registry: 'ecr', repositoryName: 'team/other' },
  { registry: 'ecr', repositoryName: 'team/frozen', imageTagMutability: 'IMMUTABLE' },
  { registry: 'ecr-public', repositoryName: 'team/app' },
  { registry: 'ecr-public', repositoryName: 'team/other' },
];

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' };
const region = 'us-east-1';

export const privateClient = (endpoint: string) => new ECR({ endpoint, region, credentials, maxAttempts: 1 });
export const publicClient = (endpoint: string) =>
  new ECRPUBLIC({ endpoint, region, credentials, maxAttempts: 1 });

/** The client of either registry: the five operations have the same members in both. */
export type LayerClient = Pick<
  ECR,
  | 'initiateLayerUpload'
  | 'uploadLayerPart'
  | 'completeLayerUpload'
  | 'batchCheckLayerAvailability'
  | 'putImage'
>;

export const makeDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'ecr-stand-in-'));

export async function startStandIn(options: Partial<EcrOptions> = {}) {
  const dataDirectory = options.dataDirectory ?? (await makeDirectory());
  const server = await startEcr({ port: 0, publicAlias, repositories, ...options, dataDirectory });
  return {
    ...server,
    dataDirectory,
    ecr: privateClient(server.url),
    ecrPublic: publicClient(server.url),
    /** Stops the server and removes its data. */
    async remove() {
      await server.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** Sends `bytes` as the part that begins at `partFirstByte`. */
export const part = (bytes: Buffer, partFirstByte = 0) => ({
  partFirstByte,
  partLastByte: partFirstByte + bytes.length - 1,
  layerPartBlob: bytes,
});

/** Pushes one layer in parts of 10 MiB. */
export async function pushLayer(client: LayerClient, repositoryName: string, bytes: Buffer): Promise<string> {
  const { uploadId, partSize = 0 } = await client.initiateLayerUpload({ repositoryName });
  for (let first = 0; first < bytes.length; first += partSize) {
    await client.uploadLayerPart({
      repositoryName,
      uploadId,
      ...part(bytes.subarray(first, first + partSize), first),
    });
  }
  const digest = digestOf(bytes);
  await client.completeLayerUpload({ repositoryName, uploadId, layerDigests: [digest] });
  return digest;
}

/** Pushes a config and a layer, and returns a manifest that names them. */
export async function pushLayersOfImage(
  client: LayerClient,
  repositoryName: string,
  mediaType = ociManifest,
): Promise<string> {
  const [config, layer] = [randomBytes(300), randomBytes(3_000)];
  await pushLayer(client, repositoryName, config);
  await pushLayer(client, repositoryName, layer);
  return manifestOf(config, [layer], { mediaType });
}

/** A raw call, for what no SDK would send. Of the signature, only the form is right. */
export function rawCall(
  url: string,
  target: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
) {
  const service = target.startsWith('Spencer') ? 'ecr-public' : 'ecr';
  return fetch(`${url}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
      authorization:
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/${service}/aws4_request, ` +
        `SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      ...headers,
    },
    body,
  });
}
