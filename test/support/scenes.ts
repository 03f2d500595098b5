// The scenes of a layer's upload, as a proxy that keeps its contract would play them.

import type { Reply, Scene } from './scripted-api.ts';

export const repositoryName = 'team-a/app';

export const begin = (partSize: number, uploadId = 'u1'): Scene => ({
  request: 'POST /ecr/layer-uploads',
  json: { repositoryName },
  reply: { status: 201, body: { uploadId, partSize } },
});

export const part = (first: number, last: number, reply?: Reply, uploadId = 'u1'): Scene => ({
  request: `PUT /ecr/layer-uploads/${uploadId}/parts?repositoryName=team-a%2Fapp ${first}-${last}`,
  reply: reply ?? { status: 200, body: { repositoryName, uploadId, lastByteReceived: last } },
});

/** The parts of a layer of `length` bytes, all taken. */
export const partsOf = (length: number, partSize: number, fromByte = 0, uploadId = 'u1'): Scene[] =>
  Array.from({ length: Math.ceil((length - fromByte) / partSize) }, (_, index) => {
    const first = fromByte + index * partSize;
    return part(first, Math.min(length, first + partSize) - 1, undefined, uploadId);
  });

export const completion = (layerDigest: string, reply?: Reply, uploadId = 'u1'): Scene => ({
  request: `POST /ecr/layer-uploads/${uploadId}/completion`,
  json: { repositoryName, layerDigests: [layerDigest] },
  reply: reply ?? { status: 201, body: { repositoryName, uploadId, layerDigest } },
});

export const availability = (
  layerDigest: string,
  layerAvailability: 'AVAILABLE' | 'UNAVAILABLE' | 'ARCHIVED',
  layerSize?: number,
): Scene => ({
  request: 'POST /ecr/layer-availability',
  json: { repositoryName, layerDigests: [layerDigest] },
  reply: { status: 200, body: { layers: [{ layerDigest, layerAvailability, layerSize }], failures: [] } },
});

export const problem = (
  status: number,
  code: string,
  members: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: {
    type: 'about:blank',
    title: code,
    status,
    detail: `${code} it is`,
    code,
    requestId: 'r-1',
    ...members,
  },
});

/** 416: the byte to go on from is the one after `lastValidByteReceived`, or 0 where that is absent. */
export const notTheNext = (lastValidByteReceived?: number): Reply =>
  problem(416, 'InvalidLayerPartException', { lastValidByteReceived });
