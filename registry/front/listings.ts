// What was pushed through here, listed: a repository's tags, and what refers to a manifest.

import { digestOf } from './digests.ts';
import { type Handler, scopeOf } from './exchange.ts';
import { OciError } from './oci-errors.ts';

/** `GET …/tags/list`, paged by `n` and `last`. */
export const listTags: Handler = async (exchange) => {
  const { pushed, destination, query } = exchange;
  const name = destination.repositoryName;
  const last = query.get('last') ?? '';
  const tags = pushed.tags(scopeOf(exchange)).filter((tag) => tag > last);
  const limit = Number(query.get('n') ?? tags.length);
  if (!Number.isInteger(limit) || limit < 0) {
    throw new OciError('UNSUPPORTED', 'n is not a number of tags');
  }
  const page = tags.slice(0, limit);
  const next = `</v2/${name}/tags/list?n=${limit}&last=${page.at(-1)}>; rel="next"`;
  const isLast = page.length === tags.length || page.length === 0;
  return { status: 200, headers: isLast ? {} : { link: next }, body: { name, tags: page } };
};

/** `GET …/referrers/<digest>`, which clients ask before they decide how to push an artifact. */
export const listReferrers: Handler = async (exchange) => {
  const { pushed, reference, query } = exchange;
  const artifactType = query.get('artifactType');
  const manifests = pushed
    .referrers(scopeOf(exchange), digestOf(reference))
    .filter((referrer) => artifactType === null || referrer.artifactType === artifactType);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  return {
    status: 200,
    headers: {
      'content-type': mediaType,
      ...(artifactType !== null && { 'oci-filters-applied': 'artifactType' }),
    },
    body: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests })),
  };
};
