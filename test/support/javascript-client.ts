// The AWS SDK for JavaScript as an AWS client of the suite.

import * as ecr from '@aws-sdk/client-ecr';
import * as ecrPublic from '@aws-sdk/client-ecr-public';
import type { Registry } from '../../api/registries.ts';
import type { Failure, Members, StartClient } from './aws-client.ts';
import type { LayerClient } from './ecr-stand-in.ts';

type Calls = Readonly<Record<string, (members: Members) => Promise<object>>>;

/** The SDK's types have every member of an input, if only as `undefined`. */
const inputOf = (members: Members) => ({
  registryId: members.registryId,
  repositoryName: members.repositoryName,
  uploadId: members.uploadId,
  partFirstByte: members.partFirstByte,
  partLastByte: members.partLastByte,
  layerPartBlob: members.layerPartBlob,
  layerDigests: members.layerDigests,
  imageManifest: members.imageManifest,
  imageManifestMediaType: members.imageManifestMediaType,
  imageTag: members.imageTag,
  imageDigest: members.imageDigest,
});

const callsOf = (client: LayerClient): Calls => ({
  InitiateLayerUpload: (members) => client.initiateLayerUpload(inputOf(members)),
  UploadLayerPart: (members) => client.uploadLayerPart(inputOf(members)),
  CompleteLayerUpload: (members) => client.completeLayerUpload(inputOf(members)),
  BatchCheckLayerAvailability: (members) => client.batchCheckLayerAvailability(inputOf(members)),
  PutImage: (members) => client.putImage(inputOf(members)),
});

const readsOf = (client: ecr.ECR): Calls => ({
  BatchGetImage: ({ registryId, repositoryName, imageIds, acceptedMediaTypes }) =>
    client.batchGetImage({ registryId, repositoryName, imageIds, acceptedMediaTypes }),
  ListImages: ({ registryId, repositoryName, nextToken, maxResults }) =>
    client.listImages({ registryId, repositoryName, nextToken, maxResults }),
  ListImageReferrers: ({ registryId, repositoryName, subjectId, filter }) =>
    client.listImageReferrers({ registryId, repositoryName, subjectId, filter }),
  GetDownloadUrlForLayer: ({ registryId, repositoryName, layerDigest }) =>
    client.getDownloadUrlForLayer({ registryId, repositoryName, layerDigest }),
});

const modules: Readonly<Record<Registry, object>> = { ecr, 'ecr-public': ecrPublic };

function isTyped(registry: Registry, error: Error): boolean {
  const exported = Object.entries(modules[registry]).find(([name]) => name === error.name)?.[1];
  return typeof exported === 'function' && error instanceof exported;
}

function failureOf(registry: Registry, error: unknown): Failure {
  if (!(error instanceof Error)) {
    throw error;
  }
  const last = 'lastValidByteReceived' in error ? error.lastValidByteReceived : undefined;
  return {
    code: error.name,
    message: error.message,
    typed: isTyped(registry, error),
    ...(typeof last === 'number' && { lastValidByteReceived: last }),
  };
}

/** The SDK reads an environment of the process alone, so what others read from it is handed to the constructor. */
export const startJavaScript: StartClient = async (environment) => {
  const { AWS_ENDPOINT_URL_ECR: endpoint = '', AWS_SESSION_TOKEN: sessionToken } = environment;
  const configuration = {
    endpoint,
    region: 'proxy-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any', ...(sessionToken && { sessionToken }) },
    maxAttempts: Number(environment.AWS_MAX_ATTEMPTS ?? 3),
  };
  const privateClient = new ecr.ECR(configuration);
  const publicClient = new ecrPublic.ECRPUBLIC(configuration);
  const calls: Readonly<Record<Registry, Calls>> = {
    ecr: {
      ...callsOf(privateClient),
      ...readsOf(privateClient),
      GetAuthorizationToken: () => privateClient.getAuthorizationToken({}),
      DescribeRepositories: () => privateClient.describeRepositories({}),
    },
    'ecr-public': {
      ...callsOf(publicClient),
      GetAuthorizationToken: () => publicClient.getAuthorizationToken({}),
      DescribeRepositories: () => publicClient.describeRepositories({}),
    },
  };
  return {
    call: async (registry, operation, members = {}) => {
      try {
        const answer = calls[registry][operation]?.(members);
        if (!answer) {
          throw new Error(`${operation} is not among this client's calls`);
        }
        return { output: { ...(await answer) } };
      } catch (error) {
        return { failure: failureOf(registry, error) };
      }
    },
    close: async () => {
      privateClient.destroy();
      publicClient.destroy();
    },
  };
};
