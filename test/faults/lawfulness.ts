// What holds of the services' state whatever has happened: nothing acknowledged lost, nothing sent twice, no byte uncounted.

import { digestOf } from '../interleavings/content.ts';
import type { AwsState } from './aws-state.ts';
import type { Acknowledged } from './front.ts';
import { imageDigest, manifest, tag } from './layer.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
}

const isBeginningOf = (bytes: Uint8Array, layer: Uint8Array): boolean =>
  bytes.length <= layer.length && bytes.every((byte, position) => byte === layer[position]);

/** How many bytes wait right behind those that ECR has of an upload. */
function waiting({ staging }: AwsState, uploadId: string, bytesInEcr: number): number {
  const [, slot] = [...staging.objects].find(([key]) => key.endsWith(uploadId)) ?? [];
  const isNext = Number(slot?.metadata['received-bytes']) === bytesInEcr;
  return slot && isNext ? Number(slot.metadata['waiting-bytes'] ?? slot.bytes.length) : 0;
}

/** As the quota counts them: those of layers, and those of manifests. */
function countedBytes({ table }: AwsState): number {
  return [...table.items].reduce(
    (sum, [id, { amount }]) => (/^count \S+ bytes /.test(id) ? sum + Number(amount) : sum),
    0,
  );
}

/** @param acknowledged undefined where the fault may have taken it */
export function violationsOf(
  state: AwsState,
  layer: Uint8Array | undefined,
  acknowledged: Acknowledged | undefined,
): string[] {
  const { uploads, layers, images } = state.ecr;
  const violations: string[] = [];
  const made = [...layers.values()].filter(({ uploadId }) => uploadId !== 'before');
  const had = [...uploads.entries()].map(([uploadId, { bytes }]) => ({ uploadId, bytes }));
  let received = 0;
  for (const { uploadId, bytes } of [...had, ...made]) {
    const waits = waiting(state, uploadId, bytes.length);
    received += bytes.length + waits;
    if (layer && acknowledged && !isBeginningOf(bytes, layer)) {
      violations.push('ECR has bytes that were not sent, or has some of them twice');
    }
    if (acknowledged?.uploadId === uploadId && acknowledged.bytes > bytes.length + waits) {
      violations.push(`${acknowledged.bytes} bytes were acknowledged, and ${bytes.length + waits} are there`);
    }
  }
  if (received > countedBytes(state)) {
    violations.push(`${received} bytes are there, and ${countedBytes(state)} are counted`);
  }
  const once = (layer?.length ?? 0) * (had.length + made.length + (acknowledged ? 0 : 1)) + manifest.length;
  if (countedBytes(state) > once) {
    violations.push(`${countedBytes(state)} bytes are counted, and ${once} were sent at most`);
  }
  if (layer && made.some(({ bytes }) => digestOf(bytes) !== digestOf(layer))) {
    violations.push('an upload became another layer');
  }
  for (const [found, { tags }] of images) {
    if (found !== imageDigest || !tags.every((one) => one === tag)) {
      violations.push('there is an image that nobody has put');
    }
  }
  return violations;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * The state as far as any request can tell: two that have the same signature lead to the same end. Uploads are numbered,
 * for ECR names each anew.
 */
export function signatureOf({ ecr, staging, table }: AwsState): string {
  const ids = new Map([...ecr.uploads.keys()].map((uploadId, number) => [uploadId, `upload ${number}`]));
  const idOf = (key: string) => {
    const uploadId = key.split('/').at(-1) ?? '';
    return ids.get(uploadId) ?? 'an upload that is complete, or lost';
  };
  return JSON.stringify([
    [...ecr.uploads].map(([uploadId, { bytes }]) => [ids.get(uploadId), hex(bytes)]),
    [...ecr.layers.keys()].sort(),
    [...ecr.images],
    [...staging.objects].map(([key, { metadata, bytes }]) => [
      idOf(key),
      metadata,
      hex(bytes.subarray(0, Number(metadata['waiting-bytes']))),
    ]),
    [...table.items.values()].map(({ amount, countedFrom, countedTo }) => [amount, countedFrom, countedTo]),
  ]);
}
