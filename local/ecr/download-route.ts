// Layers at presigned URLs, as S3 has them: open to everybody who has the URL, to GET alone, for a time.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { downloadPath } from './downloads.ts';
import type { Store } from './store.ts';

const refuse = (reply: FastifyReply, status: number, code: string) =>
  reply.code(status).type('application/xml').send(`<Error><Code>${code}</Code></Error>`);

/** A `Range` from a first byte on, as clients send it that resume a download; S3 ignores any other. */
function rangeOf(header: string | undefined, sizeBytes: number): { first: number; last: number } | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  return first === undefined
    ? undefined
    : { first: Number(first), last: Math.min(last ? Number(last) : sizeBytes, sizeBytes - 1) };
}

export function serveDownloads(app: FastifyInstance, store: Store): void {
  app.get(downloadPath, async (request, reply) => {
    const asked = store.downloads.layerOf(request.query);
    if (!asked) {
      return refuse(reply, 403, 'AccessDenied');
    }
    const repository = store.repository(asked.registry, asked.repositoryName);
    const layer = repository?.state.layers.get(asked.layerDigest);
    if (!repository || !layer) {
      return refuse(reply, 404, 'NoSuchKey');
    }
    const { sizeBytes, uploadId } = layer;
    const range = rangeOf(request.headers.range, sizeBytes);
    if (range && range.first > range.last) {
      return refuse(reply, 416, 'InvalidRange');
    }
    const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
    reply.headers({
      'content-type': 'application/octet-stream',
      'content-length': last - first + 1,
      'accept-ranges': 'bytes',
    });
    if (range) {
      reply.code(206).header('content-range', `bytes ${first}-${last}/${sizeBytes}`);
    }
    return reply.send(repository.readUpload(uploadId, last + 1, first));
  });
}
