// The layers of a load: no two have the same bytes, and making one costs hardly more than its digest.

import { digestOf, randomBytes } from '../support/random-bytes.ts';

const MiB = 1_048_576;

/**
 * One after the other: a layer in one part, one whose last part waits for none, one of a whole pair and a short part,
 * one of two pairs and a short part.
 */
const sizes = [1 * MiB, 5 * MiB, 1 * MiB, 9 * MiB, 5 * MiB, 1 * MiB, 9 * MiB, 20 * MiB];

export type Layer = { bytes: Buffer; digest: string };

const filling = randomBytes(Math.max(...sizes));
let made = 0;

/** Its first bytes are its number, the others are of every layer. */
export function nextLayer(): Layer {
  const number = made++;
  const bytes = Buffer.from(filling.subarray(0, sizes[number % sizes.length]));
  bytes.writeUInt32BE(number);
  return { bytes, digest: digestOf(bytes) };
}

/** The configuration of every image: OCI's empty JSON. */
export const emptyConfiguration = { bytes: Buffer.from('{}'), digest: digestOf('{}') };

/** An image of one layer. */
export const manifestOf = ({ bytes, digest }: Layer): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestMediaType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: emptyConfiguration.digest, size: 2 },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: bytes.length }],
  });

export const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json';
