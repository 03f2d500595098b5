// A request of every kind that the proxy sends to Cedar: does the operator's schema still take it?

import { type Members, type OperationName, operationNames, operations } from '../api/operations.ts';
import type { PolicyContext } from '../api/policy-context.ts';
import type { DecisionRequest } from './entities.ts';
import { type Principal, workload } from './principal.ts';

const repository = { repositoryName: 'team-a/app' };
const upload = { ...repository, uploadId: 'upload' };
const digest = `sha256:${'0'.repeat(64)}`;
const layerDigests = [digest];
const image = { imageDigest: digest };
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 1_000 };
const annotations = { 'org.opencontainers.image.source': 'https://example.com/team-a/app' };
const manifest = (more: object) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: [layer],
    ...more,
  });

/** With all that a context may hold, and where something may be absent, once more without. */
const samples: { readonly [Name in OperationName]: readonly Members<Name>[] } = {
  InitiateLayerUpload: [repository],
  UploadLayerPart: [{ ...upload, partFirstByte: 0, partLastByte: 0, layerPartBlob: new Uint8Array(1) }],
  CompleteLayerUpload: [{ ...upload, layerDigests }],
  BatchCheckLayerAvailability: [{ ...repository, layerDigests }],
  PutImage: [
    {
      ...repository,
      imageTag: '1.2.3-rc.1',
      imageManifest: manifest({ annotations, artifactType: 'application/spdx+json' }),
    },
    { ...repository, imageManifest: manifest({}) },
  ],
  BatchGetImage: [{ ...repository, imageIds: [{ ...image, imageTag: '1.2.3' }] }],
  ListImages: [repository],
  ListImageReferrers: [{ ...repository, subjectId: image }],
  GetDownloadUrlForLayer: [{ ...repository, layerDigest: digest }],
};

/** What a context holds where nothing special is asked for: a part of a byte, a plain image without a tag. */
export function usualContext<Name extends OperationName>(operation: Name): PolicyContext {
  const usual = samples[operation].at(-1);
  return usual ? operations[operation].context(usual) : {};
}

const principals: readonly Principal[] = [
  { type: 'Client', id: 'team-a-ci' },
  workload('https://issuer.example', 'subject', {
    repository: 'team-a/app',
    groups: ['release'],
    scope: 'push',
  }),
];

const requestsOf = <Name extends OperationName>(action: Name): DecisionRequest[] =>
  samples[action].flatMap((members) =>
    principals.map((principal) => ({
      principal,
      action,
      resource: {
        id: `ecr/123456789012/${members.repositoryName}`,
        attrs: {
          name: members.repositoryName,
          namespace: 'team-a',
          registry: 'ecr',
          registryId: '123456789012',
        },
      },
      context: operations[action].context(members),
      now: new Date(0),
    })),
  );

export const sampleRequests = (): DecisionRequest[] => operationNames.flatMap(requestsOf);
