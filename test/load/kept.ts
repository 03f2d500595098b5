// Whether all that was acknowledged is in the ECR stand-in, byte for byte.

import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { digestOf } from '../support/random-bytes.ts';

/** What a client was told is there. */
export type Acknowledged = {
  repositoryName: string;
  layerDigest: string;
  sizeBytes: number;
  /** None where the time was over, or the image was refused. */
  image: { tag: string; digest: string } | undefined;
};

/** @returns what is missing or has other bytes, each in a sentence */
export async function findLost(ecrUrl: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const atOnce = pLimit(4);
  const findings = await Promise.all(
    acknowledged.map((entry) => atOnce(() => findingsOf(`${ecrUrl}/v2/${entry.repositoryName}`, entry))),
  );
  return findings.flat();
}

async function findingsOf(
  repository: string,
  { layerDigest, sizeBytes, image }: Acknowledged,
): Promise<string[]> {
  const findings: string[] = [];
  const layer = await fetch(`${repository}/blobs/${layerDigest}`);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of layer.body ?? []) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (layer.status !== 200 || bytes !== sizeBytes || `sha256:${hash.digest('hex')}` !== layerDigest) {
    findings.push(`layer ${layerDigest} of ${sizeBytes} bytes: ${layer.status}, ${bytes} bytes`);
  }
  if (image) {
    const manifest = await fetch(`${repository}/manifests/${image.tag}`);
    if (manifest.status !== 200 || digestOf(await manifest.text()) !== image.digest) {
      findings.push(`image ${image.tag}: ${manifest.status}, not ${image.digest}`);
    }
  }
  return findings;
}
