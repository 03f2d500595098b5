// What a repository has, listed: its tags, and what refers to one of its manifests.

import type { Referrer } from '../port.ts';
import type { Exchange, Handler } from './exchange.ts';
import { isStorable } from './names.ts';
import { isMeant, OciError } from './oci-errors.ts';

/** `GET …/tags/list`, in lexical order, paged by `n` and `last`. */
export const listTags: Handler = async ({ port, repositoryName: name, query }) => {
  const limit = limitOf(query.get('n'));
  const last = query.get('last') ?? '';
  const tags = [...(await port.listTags(name))].sort().filter((tag) => tag > last);
  const page = tags.slice(0, limit);
  const next = `</v2/${name}/tags/list?n=${limit}&last=${page.at(-1)}>; rel="next"`;
  const isLast = page.length === tags.length || page.length === 0;
  return { status: 200, headers: isLast ? {} : { link: next }, body: { name, tags: page } };
};

function limitOf(text: string | null): number | undefined {
  if (text === null) {
    return undefined;
  }
  if (/^\d{1,9}$/.test(text)) {
    return Number(text);
  }
  throw new OciError('UNSUPPORTED', 'n is not a number of tags', { status: 400 });
}

/** `GET …/referrers/<digest>`, which clients ask before they decide how to push an artifact, or when they have. */
export const listReferrers: Handler = async (exchange) => {
  const { reference, query } = exchange;
  const artifactType = query.get('artifactType') ?? undefined;
  const referrers = isStorable(reference) ? await readableReferrers(exchange, artifactType) : [];
  if (!referrers) {
    throw new OciError('UNSUPPORTED', 'this registry lists no referrers: keep them under a tag', {
      status: 404,
    });
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = referrers.filter(
    (one) => artifactType === undefined || one.artifactType === artifactType,
  );
  return {
    status: 200,
    headers: {
      'content-type': mediaType,
      ...(artifactType !== undefined && { 'oci-filters-applied': 'artifactType' }),
    },
    body: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })),
  };
};

/**
 * Those that the client may read: none for one who may push alone. crane, ko and cosign ask for the list when they have
 * put a manifest with a subject, only to see whether a registry has one, and call the push failed after a 403. Nobody
 * overwrites anything for an empty one, since registries that have such lists keep them themselves. Undefined where the
 * registry cannot be asked.
 */
async function readableReferrers(
  { port, repositoryName, reference, warn }: Exchange,
  artifactType: string | undefined,
): Promise<readonly Referrer[] | undefined> {
  try {
    return await port.listReferrers(repositoryName, reference, artifactType);
  } catch (error) {
    if (isMeant(error, 'UnsupportedCommandException')) {
      return undefined;
    }
    if (!isMeant(error, 'AccessDeniedException')) {
      throw error;
    }
    warn(`${error.message.replace(/\.$/, '')}. The list of referrers is empty for that reason.`);
    return [];
  }
}
