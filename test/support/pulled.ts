// Reads an image back from the stand-in's /v2/, down to the last byte of the last blob.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from './random-bytes.ts';

const descriptor = z.object({ digest: z.string(), size: z.number() });
const manifestMembers = z.object({
  config: descriptor.optional(),
  layers: z.array(descriptor).default([]),
  manifests: z.array(descriptor).default([]),
  subject: descriptor.optional(),
});
const configMembers = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }).optional() });

export type Pulled = { digest: string; subject: string | undefined; diffIds: string[]; children: Pulled[] };

async function hashOf(url: string): Promise<{ digest: string; size: number }> {
  const answer = await fetch(url);
  if (answer.status !== 200) {
    throw new Error(`${url} answers ${answer.status}`);
  }
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** @throws Error when anything that a manifest names is missing, or has other bytes than it says */
export async function pull(ecrUrl: string, repositoryName: string, reference: string): Promise<Pulled> {
  const base = `${ecrUrl}/v2/${repositoryName}`;
  const answer = await fetch(`${base}/manifests/${reference}`);
  if (answer.status !== 200) {
    throw new Error(`${repositoryName}:${reference} answers ${answer.status}`);
  }
  const text = await answer.text();
  const { config, layers, manifests, subject } = manifestMembers.parse(JSON.parse(text));
  for (const blob of [...(config ? [config] : []), ...layers]) {
    const { digest, size } = await hashOf(`${base}/blobs/${blob.digest}`);
    if (digest !== blob.digest || size !== blob.size) {
      throw new Error(`${blob.digest} came back as ${digest}`);
    }
  }
  const children: Pulled[] = [];
  for (const child of manifests) {
    children.push(await pull(ecrUrl, repositoryName, child.digest));
  }
  const configText = config ? await (await fetch(`${base}/blobs/${config.digest}`)).text() : '{}';
  return {
    digest: digestOf(text),
    subject: subject?.digest,
    diffIds: configMembers.parse(JSON.parse(configText)).rootfs?.diff_ids ?? [],
    children,
  };
}
