// The local S3: s3rver, with the conditional and whole writes it lacks, for callers with any credentials or none.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import S3rver from '@20minutes/s3rver';
import { closeServer, loopback, urlOf } from '../address.ts';
import { ObjectStore } from './object-store.ts';

type S3Options = {
  /** 0 takes any free one. */
  port: number;
  /** Kept from run to run. */
  dataDirectory: string;
  bucketNames: readonly string[];
};

type Refusal = { status: number; code: string; message: string };

const preconditionFailed: Refusal = {
  status: 412,
  code: 'PreconditionFailed',
  message: 'At least one of the pre-conditions you specified did not hold',
};
const noSuchKey: Refusal = { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };

export async function startS3({ port, dataDirectory, bucketNames }: S3Options) {
  const s3rver = new S3rver({ directory: dataDirectory, silent: true, vhostBuckets: false });
  const store = new ObjectStore(dataDirectory);
  s3rver.store = store;
  s3rver.context.store = store;
  const serve = s3rver.callback();
  const requests: Record<string, number> = {};
  const inTurn = queueByKey();

  const etagOf = async (path: string): Promise<string | undefined> => {
    const [, bucket = '', ...key] = decodeURIComponent(path).split('/');
    const found = await store.getObject(bucket, key.join('/'));
    return found?.metadata.etag;
  };

  /** Source: "Conditional writes" in the Amazon S3 user guide. */
  const refusalOf = async (request: IncomingMessage, path: string): Promise<Refusal | undefined> => {
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
    if (request.method !== 'PUT' || (!ifMatch && !ifNoneMatch)) {
      return undefined;
    }
    const etag = await etagOf(path);
    if (ifNoneMatch) {
      return etag === undefined ? undefined : preconditionFailed;
    }
    if (etag === undefined) {
      return noSuchKey;
    }
    return ifMatch === '*' || unquoted(ifMatch) === unquoted(etag) ? undefined : preconditionFailed;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, path: string) => {
    const refusal = await refusalOf(request, path);
    // s3rver knows one access key and checks signatures; here, everybody who reaches the port has access.
    delete request.headers.authorization;
    const ended = once(response, 'close');
    if (refusal) {
      refuse(response, refusal);
    } else {
      // Whoever closes the connection does not undo what it has sent: the next request for the key comes after that.
      await serve(request, response);
    }
    await ended;
  };

  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const { method = '' } = request;
    requests[method] = (requests[method] ?? 0) + 1;
    inTurn(path, () => answer(request, response, path)).catch(() => response.destroy());
  });
  server.listen(port, loopback);
  await once(server, 'listening');
  await Promise.all(bucketNames.map((name) => store.putBucket(name)));

  const close = async () => {
    await closeServer(server);
    s3rver.logger.close();
  };
  /** `requests` counts them by method, for tests that say what a push costs. */
  return { url: urlOf(server), requests, close };
}

const unquoted = (etag: string | undefined) => etag?.replaceAll('"', '');

function refuse(response: ServerResponse, { status, code, message }: Refusal) {
  response.writeHead(status, { 'Content-Type': 'application/xml' });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}

/** S3 reads and writes an object whole: a request for the same key waits for the one before. */
function queueByKey() {
  const tails = new Map<string, Promise<unknown>>();
  return <T>(key: string, task: () => Promise<T>): Promise<T> => {
    const turn = (tails.get(key) ?? Promise.resolve()).then(task, task);
    tails.set(key, turn);
    const leave = () => tails.get(key) === turn && tails.delete(key);
    turn.then(leave, leave);
    return turn;
  };
}
