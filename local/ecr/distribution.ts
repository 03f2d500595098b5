// Reading back what was pushed: the pull half of the OCI distribution API, below /v2/, open to everyone.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Repository } from './repository.ts';
import type { Store } from './store.ts';

/** OCI's error codes (distribution-spec, "Error Codes") with the status each goes with here. */
const statusOf = {
  BLOB_UNKNOWN: 404,
  MANIFEST_UNKNOWN: 404,
  NAME_UNKNOWN: 404,
  UNSUPPORTED: 405,
} as const;

const writesRefused = "this stand-in takes pushes only through ECR's layer API; /v2/ answers GET and HEAD";

/**
 * Serves `/v2/`, `<name>/manifests/<tag or digest>`, `<name>/blobs/<digest>` and `<name>/tags/list` to GET and
 * HEAD. A private repository goes by its name, a public one by `<alias>/<name>`.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */
export function serveDistribution(app: FastifyInstance, store: Store): void {
  const refuseWrites = async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      return;
    }
    return refuse(reply.header('allow', 'GET, HEAD'), 'UNSUPPORTED', writesRefused);
  };
  app.all('/v2', { onRequest: refuseWrites }, async (_request, reply) => reply.redirect('/v2/', 301));
  app.all('/v2/*', { onRequest: refuseWrites }, async (request, reply) => {
    reply.header('docker-distribution-api-version', 'registry/2.0');
    const path = decodeURIComponent(new URL(request.url, 'http://stand-in').pathname).slice('/v2/'.length);
    if (path === '') {
      return reply.send({});
    }
    const [, name = '', kind = '', reference = ''] =
      /^(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(path) ?? [];
    const repository = findRepository(store, name);
    if (kind === '' || (kind === 'tags' && reference !== 'list')) {
      return refuse(reply, 'UNSUPPORTED', 'this stand-in serves manifests, blobs and tags/list', 404);
    }
    if (!repository) {
      return refuse(reply, 'NAME_UNKNOWN', `there is no repository ${name}`);
    }
    if (kind === 'manifests') {
      return sendManifest(request, reply, repository, reference);
    }
    if (kind === 'blobs') {
      return sendBlob(request, reply, repository, reference);
    }
    return sendTags(request, reply, repository, name);
  });
}

function findRepository(store: Store, name: string): Repository | undefined {
  const alias = `${store.publicAlias}/`;
  return name.startsWith(alias)
    ? store.repository('ecr-public', name.slice(alias.length))
    : store.repository('ecr', name);
}

async function sendManifest(
  request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  reference: string,
): Promise<FastifyReply> {
  const { images, tags } = repository.state;
  const digest = tags.get(reference) ?? reference;
  const image = images.get(digest);
  if (!image) {
    return refuse(reply, 'MANIFEST_UNKNOWN', `there is no manifest ${reference}`);
  }
  reply.headers({
    'content-type': image.mediaType,
    'content-length': image.sizeBytes,
    'docker-content-digest': digest,
  });
  return reply.send(request.method === 'HEAD' ? undefined : await repository.readManifest(digest));
}

function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  digest: string,
): FastifyReply {
  const layer = repository.state.layers.get(digest);
  if (!layer) {
    return refuse(reply, 'BLOB_UNKNOWN', `there is no blob ${digest}`);
  }
  const { sizeBytes, uploadId } = layer;
  reply.headers({
    'content-type': 'application/octet-stream',
    'content-length': sizeBytes,
    'docker-content-digest': digest,
  });
  return reply.send(request.method === 'HEAD' ? undefined : repository.readUpload(uploadId, sizeBytes));
}

/** `n` and `last` page through the tags, which come in lexical order. */
function sendTags(
  request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  name: string,
): FastifyReply {
  const { searchParams } = new URL(request.url, 'http://stand-in');
  const last = searchParams.get('last') ?? '';
  const tags = [...repository.state.tags.keys()].sort().filter((tag) => tag > last);
  const limit = Number(searchParams.get('n') ?? tags.length);
  if (!Number.isInteger(limit) || limit < 0) {
    return refuse(reply, 'UNSUPPORTED', 'n is not a number of tags', 400);
  }
  const page = tags.slice(0, limit);
  if (page.length < tags.length && page.length > 0) {
    reply.header('link', `</v2/${name}/tags/list?n=${limit}&last=${page.at(-1)}>; rel="next"`);
  }
  return reply.send({ name, tags: page });
}

const refuse = (
  reply: FastifyReply,
  code: keyof typeof statusOf,
  message: string,
  status: number = statusOf[code],
): FastifyReply => reply.code(status).send({ errors: [{ code, message }] });
