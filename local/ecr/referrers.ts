// What refers to an image by its `subject`: ListImageReferrers.

import { z } from 'zod';
import type { listReferrersInput } from './inputs.ts';
import { usualListedReferrers } from './limits.ts';
import { pageOf } from './pages.ts';
import type { Repository } from './repository.ts';
import type { Target } from './target.ts';

type ListReferrersInput = z.output<ReturnType<typeof listReferrersInput>>;

const manifest = z.object({
  subject: z.object({ digest: z.string() }),
  artifactType: z.string().optional(),
  config: z.object({ mediaType: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-referrers for what is said of each */
async function referrerOf(repository: Repository, digest: string, subject: string) {
  const { mediaType, sizeBytes: size } = repository.state.images.get(digest) ?? {};
  const read = manifest.safeParse(JSON.parse(String(await repository.readManifest(digest))));
  if (!read.success || read.data.subject.digest !== subject) {
    return undefined;
  }
  const { artifactType = read.data.config?.mediaType, annotations } = read.data;
  return { digest, mediaType, artifactType, size, annotations, artifactStatus: 'ACTIVE' };
}

/** Whether the subject itself is there is not asked: OCI allows a referrer to come first (ECR's answer is inferred). */
export async function listImageReferrers(
  { repository }: Target,
  { subjectId, filter, nextToken, maxResults = usualListedReferrers }: ListReferrersInput,
): Promise<object> {
  const { repositoryName, images } = repository.state;
  const { imageDigest: subject } = subjectId;
  const { artifactTypes = [], artifactStatus = 'ACTIVE' } = filter ?? {};
  const found = await Promise.all(
    [...images.keys()].map((digest) => referrerOf(repository, digest, subject)),
  );
  const asked = found.flatMap((one) => {
    const isOfType = artifactTypes.length === 0 || artifactTypes.some((type) => type === one?.artifactType);
    const isOfStatus = artifactStatus === 'ANY' || artifactStatus === 'ACTIVE';
    return one && isOfType && isOfStatus ? [[one.digest, one] as const] : [];
  });
  const list = `referrers of ${subject} in ${repositoryName}`;
  const page = pageOf(list, new Map(asked), { nextToken, maxResults });
  return { referrers: page.items, ...(page.nextToken !== undefined && { nextToken: page.nextToken }) };
}
