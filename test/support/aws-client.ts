// An AWS client as the suite of the AWS API sees it: whatever the language, calls go in and outcomes come out.

import type { Registry } from '../../api/registries.ts';

/** The members of all inputs; each operation takes its own. */
export type Members = {
  registryId?: string;
  repositoryName?: string;
  uploadId?: string;
  partFirstByte?: number;
  partLastByte?: number;
  layerPartBlob?: Uint8Array;
  layerDigests?: string[];
  imageManifest?: string;
  imageManifestMediaType?: string;
  imageTag?: string;
  imageDigest?: string;
  imageIds?: { imageDigest?: string; imageTag?: string }[];
  acceptedMediaTypes?: string[];
  subjectId?: { imageDigest: string };
  filter?: { artifactTypes: string[] };
  nextToken?: string;
  maxResults?: number;
  layerDigest?: string;
};

export type Failure = {
  /** The error code, such as `InvalidLayerPartException`. */
  code: string;
  message: string;
  /** Whether the client raised its own class for the code; undefined where it has no classes. */
  typed?: boolean;
  lastValidByteReceived?: number;
};

export type Outcome = { output?: Readonly<Record<string, unknown>>; failure?: Failure };

export type AwsClient = {
  call(registry: Registry, operation: string, members?: Members): Promise<Outcome>;
  close(): Promise<void>;
};

/** Starts a client with nothing but an environment, as a user would. */
export type StartClient = (environment: Readonly<Record<string, string>>) => Promise<AwsClient>;

/** What points an unmodified AWS client at the proxy: two addresses, and a token in place of a session token. */
export const clientEnvironment = (proxyUrl: string, token: string | undefined): Record<string, string> => ({
  AWS_ENDPOINT_URL_ECR: proxyUrl,
  AWS_ENDPOINT_URL_ECR_PUBLIC: proxyUrl,
  AWS_REGION: 'proxy-1',
  AWS_DEFAULT_REGION: 'proxy-1',
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any',
  ...(token !== undefined && { AWS_SESSION_TOKEN: token }),
});
