// A process of the registry endpoint, from Node.js's HTTP server on, with connections in memory in place of a network's.

import {
  type ClientRequest,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { ServeServices } from '../../lambda/serve.ts';
import { defaultBounds } from '../../registry/front/bounds.ts';
import { ManifestMemory } from '../../registry/front/manifest-memory.ts';
import { type Service, serve } from '../../registry/front/serve.ts';
import { UploadSlots } from '../../registry/front/upload-slots.ts';
import { answerMs, Unanswered } from '../../registry/hosted/answer-time.ts';
import { patience } from '../../registry/hosted/calls.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { maxSends } from '../../registry/hosted/part-sender.ts';
import { maxManifestReads } from '../../registry/hosted/read-images.ts';
import { hostedRegistry } from '../../registry/hosted/registry.ts';
import { unrecorded } from '../../registry/hosted/request-record.ts';
import { RequestRecords } from '../../registry/hosted/request-records.ts';
import { type Reach, within } from './reach.ts';

export type HttpRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  /** In the pieces in which it arrives; without a length of its own it is sent in HTTP's chunks. */
  readonly body?: readonly Uint8Array[];
  /** The connection breaks before the body has ended. */
  readonly breaksOff?: boolean;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of a refusal: its code of the error table, or else OCI's. */
  readonly refusal: string | undefined;
};

export type Exchange = {
  /** `gone` where the connection broke before. Not there before the process is done with the request. */
  readonly answer: Promise<HttpAnswer | 'gone'>;
  /** The connection breaks. */
  readonly hangUp: () => void;
};

const refusals = z.object({
  errors: z.tuple([z.object({ code: z.string(), detail: z.object({ code: z.string() }).optional() })]),
});

function refusalOf({ statusCode = 0 }: IncomingMessage, body: string): string | undefined {
  if (statusCode < 400) {
    return undefined;
  }
  // An answer to HEAD has no body.
  if (body === '') {
    return `${statusCode}`;
  }
  const [{ code, detail }] = refusals.parse(JSON.parse(body)).errors;
  return detail?.code ?? code;
}

/** What a connection in memory is of. */
type Connection = { readonly to: Reach; readonly served: () => void };

/** Node.js's HTTP server takes any stream for a connection; only this it asks of a socket besides. */
const likeSocket = (side: Duplex) => Object.assign(side, { setTimeout: () => side });

export function openEndpoint(services: ServeServices) {
  const connections = new Map<Duplex, Connection>();
  const faults: unknown[] = [];
  const service: Omit<Service, 'onServed'> = {
    open: hostedRegistry({
      services,
      registry: 'ecr',
      records: new RequestRecords(() => unrecorded),
      buffers: new PartBuffers(),
      sends: pLimit(maxSends),
      manifestReads: pLimit(maxManifestReads),
      unanswered: new Unanswered(),
      patience: { ...patience, pauseMs: () => 0 },
      answerMs,
      blobMode: 'redirect',
    }),
    registry: 'ecr',
    admit: () => {},
    sourceIpOf: () => undefined,
    otherRoutes: [],
    bounds: defaultBounds,
    slots: new UploadSlots(defaultBounds),
    manifestMemory: new ManifestMemory(defaultBounds),
    isClosing: () => false,
  };
  const server = createServer({ requestTimeout: 0 }, (raw, response) => {
    const connection = connections.get(raw.socket);
    if (!connection) {
      throw new Error('a request without a connection');
    }
    const onServed: Service['onServed'] = ({ fault }) => {
      if (fault !== undefined) {
        faults.push(fault);
      }
      connection.served();
    };
    void within(connection.to, () => serve(raw, response, { ...service, onServed }, () => {}));
  });

  return {
    /** What was thrown and is no refusal. */
    faults,
    send: (to: Reach, { method, path, headers, body = [], breaksOff = false }: HttpRequest): Exchange => {
      const [near, far] = duplexPair();
      const serverSide = likeSocket(far);
      const { promise: over, resolve: served } = Promise.withResolvers<void>();
      connections.set(serverSide, { to, served });
      server.emit('connection', serverSide);
      const sent = request({
        createConnection: () => near,
        method,
        path,
        headers: { host: 'registry', connection: 'keep-alive', ...headers },
      });
      const hangUp = () => {
        near.destroy();
        far.destroy();
      };
      const answer = answerTo(sent).finally(() => over);
      sent.flushHeaders();
      for (const piece of body) {
        sent.write(piece);
      }
      if (!breaksOff) {
        sent.end();
      }
      return { answer, hangUp };
    },

    /** As when the process is killed. */
    cut: () => {
      for (const connection of connections.keys()) {
        connection.destroy();
      }
    },
  };
}

function answerTo(sent: ClientRequest): Promise<HttpAnswer | 'gone'> {
  return new Promise((resolve, reject) => {
    const gone = () => resolve('gone');
    sent.on('error', gone).once('response', (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (piece: string) => {
          text += piece;
        })
        .on('error', gone)
        .once('end', () => {
          try {
            const { statusCode: status = 0, headers } = response;
            resolve({ status, headers, refusal: refusalOf(response, text) });
          } catch (error) {
            reject(error);
          }
        });
    });
  });
}

export type Endpoint = ReturnType<typeof openEndpoint>;
