// The requests that an operator's schema is tried with: every action, each principal, all that a context may hold.

import { describe, expect, it } from 'vitest';
import { operationNames } from '../../api/operations.ts';
import { sampleRequests, usualContext } from '../../policy/sample-requests.ts';

const digest = `sha256:${'0'.repeat(64)}`;

const plainImage = {
  imageDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  imageManifestMediaType: 'application/vnd.oci.image.manifest.v1+json',
  layerCount: 1,
  layerMediaTypes: ['application/vnd.oci.image.layer.v1.tar+gzip'],
  totalBytes: 1_002,
  configMediaType: 'application/vnd.oci.image.config.v1+json',
  ...{ manifestCount: 0, manifestMediaTypes: [], platformCount: 0 },
  annotations: {},
};

const fullImage = {
  ...plainImage,
  imageTag: '1.2.3-rc.1',
  imageTagVersion: { major: 1, minor: 2, patch: 3, prerelease: 'rc.1' },
  artifactType: 'application/spdx+json',
  annotations: { 'org.opencontainers.image.source': 'https://example.com/team-a/app' },
};

const contexts = [
  ['InitiateLayerUpload', {}],
  ['UploadLayerPart', { partFirstByte: 0, partLastByte: 0 }],
  ['CompleteLayerUpload', {}],
  ['BatchCheckLayerAvailability', {}],
  ['PutImage', fullImage],
  ['PutImage', plainImage],
  ['BatchGetImage', { imageTags: ['1.2.3'], imageDigests: [digest] }],
  ['ListImages', {}],
  ['ListImageReferrers', { imageDigest: digest }],
  ['GetDownloadUrlForLayer', { layerDigest: digest }],
];

const client = { type: 'Client', id: 'team-a-ci' };
const workload = {
  ...{ type: 'Workload', id: 'https://issuer.example#subject' },
  ...{ issuer: 'https://issuer.example', subject: 'subject' },
  claims: { repository: 'team-a/app', groups: ['release'], scope: 'push' },
};

describe('the sample requests', () => {
  it('are of every action, by a client and by a workload, with all that a context may hold and without', () => {
    expect(sampleRequests().map(({ action, principal, context }) => [action, context, principal])).toEqual(
      contexts.flatMap((context) => [client, workload].map((principal) => [...context, principal])),
    );
    expect(new Set(sampleRequests().map(({ action }) => action))).toEqual(new Set(operationNames));
  });

  it('are about one repository, at one time', () => {
    const attrs = {
      ...{ name: 'team-a/app', namespace: 'team-a' },
      ...{ registry: 'ecr', registryId: '123456789012' },
    };
    for (const { resource, now } of sampleRequests()) {
      expect(resource).toEqual({ id: 'ecr/123456789012/team-a/app', attrs });
      expect(now).toEqual(new Date(0));
    }
  });
});

it.each(operationNames)('the usual context of %s is that of its plainest sample', (operation) => {
  const [, usual] = contexts.findLast(([name]) => name === operation) ?? [];
  expect(usualContext(operation)).toEqual(usual);
});
