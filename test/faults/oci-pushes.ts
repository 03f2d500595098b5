// A container tool amid a push, at each of its requests: the columns of the registry endpoint's and the bridge's tables.

import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { routes } from '../../registry/front/routes.ts';
import { digestOf } from '../interleavings/content.ts';
import { ociManifest } from '../support/manifests.ts';
import { continued, finishNothing, isSuccess, unanswerable } from './continuation.ts';
import type { Connection, Memory, Next, Reply, Situation } from './front.ts';
import { digest, imageDigest, layer, manifest, repositoryName, tag } from './layer.ts';
import type { OciRequest } from './oci-requests.ts';

type OciSituation = Situation<OciRequest>;

const repository = `/v2/${repositoryName}`;
const uploads = `${repository}/blobs/uploads/`;
const bytesType = { 'content-type': 'application/octet-stream' };

/** What is pushed, and its first chunk. */
type Blob = { readonly bytes: Uint8Array; readonly chunkBytes: number };

/** Two parts of ECR's, the first one of the largest size. */
const hostedBlob: Blob = { bytes: layer, chunkBytes: 10 };

/** Two parts of the resource API's, which are joined. */
const bridgeBlob: Blob = { bytes: layer.slice(0, 6), chunkBytes: 4 };

type Step =
  | { readonly step: 'begin' | 'close' | 'whole' | 'at once' | 'cancel' }
  | { readonly step: 'status'; readonly method: string }
  /** From the byte where the upload is up to this one. */
  | { readonly step: 'send'; readonly upTo: number };

const locationOf = ({ headers }: Reply): string | undefined => headers.get('location') ?? undefined;

/** `Range` has the last byte, which is 0 where there is none. */
function positionOf({ headers }: Reply): number {
  const last = Number(headers.get('range')?.split('-')[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}

/** One tool that pushes one layer. */
class BlobClient {
  readonly #connection: Connection<OciRequest>;
  readonly #blob: Uint8Array;
  #location: string;
  #bytes: number;

  constructor(connection: Connection<OciRequest>, blob: Uint8Array, { location = '', bytes }: Memory) {
    this.#connection = connection;
    this.#blob = blob;
    this.#location = location;
    this.#bytes = bytes;
  }

  get memory(): Memory {
    return { location: this.#location, bytes: this.#bytes };
  }

  request(step: Step): () => Promise<Reply> {
    const request = this.#write(step);
    return async () => {
      const reply = await this.#connection(request);
      this.#note(reply);
      return reply;
    };
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const ask = this.request(step);
      let reply = await ask();
      for (let round = 0; reply.status >= 500 && round < maxRounds; round++) {
        reply = await ask();
      }
      if (!isSuccess(reply)) {
        throw unanswerable(step.step, reply);
      }
    }
  }

  /** From where it is, or from the beginning. */
  async finish(from: 'here' | 'nothing' | 'anew'): Promise<void> {
    if (from === 'anew') {
      await this.run([{ step: 'begin' }]);
    }
    if (from !== 'nothing') {
      const { length } = this.#blob;
      const rest: readonly Step[] = this.#bytes < length ? [{ step: 'send', upTo: length }] : [];
      await this.run([...rest, { step: 'close' }]);
    }
  }

  #write(step: Step): OciRequest {
    const body = this.#blob;
    const query = `?digest=${digestOf(body)}`;
    const closing = `${this.#location}${query}`;
    switch (step.step) {
      case 'begin':
        return { method: 'POST', path: uploads };
      case 'at once':
        return { method: 'POST', path: `${uploads}${query}`, headers: bytesType, body };
      case 'whole':
        return { method: 'PUT', path: closing, headers: bytesType, body };
      case 'close':
        return { method: 'PUT', path: closing };
      case 'status':
        return { method: step.method, path: this.#location };
      case 'cancel':
        return { method: 'DELETE', path: this.#location };
      default:
        return {
          method: 'PATCH',
          path: this.#location,
          headers: bytesType,
          body: body.subarray(this.#bytes, step.upTo),
        };
    }
  }

  /** Where an upload is, its answers say, those too that refuse bytes. */
  #note(reply: Reply): void {
    const location = locationOf(reply);
    if (location?.startsWith(uploads)) {
      this.#location = location;
      this.#bytes = positionOf(reply);
    }
  }
}

/** How often a client sends what may pass. */
const maxRounds = 6;

/** The refusals after which an upload cannot go on. */
const lost: ReadonlySet<number> = new Set([400, 404]);
const wrongPlace = 416;

/** A request of a layer's upload after other steps of it. */
const uploading = (
  blob: Uint8Array,
  of: string,
  name: string,
  before: readonly Step[],
  step: Step,
): OciSituation => ({
  of,
  name,
  layer: blob,
  subject: 'blob',
  isDone: ({ ecr }) => ecr.layers.has(digestOf(blob)),
  prepare: async (connection) => {
    const client = new BlobClient(connection, blob, { bytes: 0 });
    await client.run(before);
    return client.memory;
  },
  push: (connection, memory) => {
    const client = new BlobClient(connection, blob, memory);
    const ask = client.request(step);
    const ends = step.step === 'close' || step.step === 'whole' || step.step === 'at once';
    const toBe = (next: Next, from: 'here' | 'nothing' | 'anew') => ({
      next,
      rest: from === 'here' ? `${from} ${client.memory.bytes}` : from,
      finish: () => client.finish(from),
    });
    return {
      ask,
      acknowledged: () => ({ uploadId: ecrUploadOf(client.memory.location), bytes: client.memory.bytes }),
      goOn: (reply, pause) =>
        continued(ask, reply, pause, (answer, next) => {
          if (isSuccess(answer)) {
            const rest = step.step === 'cancel' ? 'anew' : 'here';
            return toBe(next, ends ? 'nothing' : rest);
          }
          if (answer.status === wrongPlace && locationOf(answer)) {
            return toBe('onwards', 'here');
          }
          return lost.has(answer.status) ? toBe('anew', 'anew') : undefined;
        }),
    };
  },
});

/** The registry endpoint's `Location` ends in ECR's upload id, sealed; the bridge's does not say where its bytes are. */
const ecrUploadOf = (location = ''): string | undefined =>
  /\/[1-9]\d*s?-([0-9a-f-]{36})-[0-9a-f-]+$/.exec(location)?.[1];

/** A request that is all there is to do. */
const single = (
  of: string,
  path: string,
  { refused, ...more }: Partial<OciSituation> & Pick<OciSituation, 'subject'> & { refused?: number },
  request: Partial<OciRequest> = {},
): OciSituation => ({
  of,
  name: of,
  prepare: async () => ({ bytes: 0 }),
  push: (connection) => {
    const [method = ''] = of.split(' ');
    const ask = () => connection({ method, path, ...request });
    return {
      ask,
      acknowledged: () => ({ uploadId: undefined, bytes: 0 }),
      goOn: (reply, pause) =>
        continued(ask, reply, pause, (answer, next) =>
          (answer.status >= 200 && answer.status < 400) || answer.status === refused
            ? { next, rest: 'nothing', finish: finishNothing }
            : undefined,
        ),
    };
  },
  ...(refused !== undefined && { isRefused: true }),
  ...more,
});

const reads = { given: 'image', isRead: true } as const;
const begin: Step = { step: 'begin' };
const session = '…/blobs/uploads/<reference>';

function uploadsOf({ bytes, chunkBytes }: Blob): readonly OciSituation[] {
  const whole: Step = { step: 'send', upTo: bytes.length };
  const chunk: Step = { step: 'send', upTo: chunkBytes };
  const at = (of: string, name: string, before: readonly Step[], step: Step) =>
    uploading(bytes, of, name, before, step);
  return [
    at('POST …/blobs/uploads/', 'POST …/blobs/uploads/', [], begin),
    at('POST …/blobs/uploads/', '… with the blob', [], { step: 'at once' }),
    at(`PATCH ${session}`, `PATCH ${session} with all bytes`, [begin], whole),
    at(`PATCH ${session}`, '… with the first chunk', [begin], chunk),
    at(`PATCH ${session}`, '… with the next one', [begin, chunk], whole),
    at(`PUT ${session}`, `PUT ${session}`, [begin, whole], { step: 'close' }),
    at(`PUT ${session}`, '… with the blob', [begin], { step: 'whole' }),
    ...['GET', 'HEAD'].map((method) => {
      const of = `${method} ${session}`;
      return at(of, of, [begin, chunk], { step: 'status', method });
    }),
    at(`DELETE ${session}`, `DELETE ${session}`, [begin, chunk], { step: 'cancel' }),
  ];
}

const headBlob = single('HEAD …/blobs/<digest>', `${repository}/blobs/${digest}`, {
  ...reads,
  subject: 'blob',
});

const putManifest = single(
  'PUT …/manifests/<reference>',
  `${repository}/manifests/${tag}`,
  {
    subject: 'manifest',
    given: 'layer',
    isDone: ({ ecr }) => ecr.images.get(imageDigest)?.tags.join() === tag,
  },
  { headers: { 'content-type': ociManifest }, body: Buffer.from(manifest) },
);

const others: readonly OciSituation[] = [
  single('GET /v2/', '/v2/', { subject: 'blob', isRead: true }),
  single('HEAD /v2/', '/v2/', { subject: 'blob', isRead: true }),
  headBlob,
  single('GET …/blobs/<digest>', `${repository}/blobs/${digest}`, { ...reads, subject: 'blob' }),
  single('HEAD …/manifests/<reference>', `${repository}/manifests/${tag}`, { ...reads, subject: 'manifest' }),
  single('GET …/manifests/<reference>', `${repository}/manifests/${tag}`, { ...reads, subject: 'manifest' }),
  putManifest,
  single('GET …/tags/list', `${repository}/tags/list`, { ...reads, subject: 'manifest' }),
  single('GET …/referrers/<digest>', `${repository}/referrers/${imageDigest}`, {
    ...reads,
    subject: 'manifest',
  }),
];

const sessionTokens = single(
  `${sessionTokenExchange.method} ${sessionTokenExchange.path}`,
  sessionTokenExchange.path,
  { subject: 'problem', takesNoSession: true },
);

/** ECR Public reads nothing: HEAD of a manifest says that it is not there, for tools to push theirs. Decision 0031. */
const ofEcrPublic: readonly OciSituation[] = [
  headBlob,
  single('HEAD …/manifests/<reference>', `${repository}/manifests/${tag}`, {
    given: 'image',
    subject: 'manifest',
    refused: 404,
  }),
  single('GET …/manifests/<reference>', `${repository}/manifests/${tag}`, {
    given: 'image',
    subject: 'manifest',
    refused: 405,
  }),
  putManifest,
  single('GET …/referrers/<digest>', `${repository}/referrers/${imageDigest}`, {
    given: 'image',
    subject: 'manifest',
    refused: 404,
  }),
];

export const publicHostedSituations = [...uploadsOf(hostedBlob), ...ofEcrPublic];

/** `POST /session-tokens` is the registry endpoint's alone. */
export const hostedSituations = [...uploadsOf(hostedBlob), ...others, sessionTokens];

/**
 * Where an upload or its bytes are gone the bridge has none any more to go on with: its client has.
 * client/bridge/port-errors.ts.
 */
const uploadsOfBridge = uploadsOf(bridgeBlob).map((situation) => ({
  ...situation,
  hidden: { as: 503, of: ['UploadNotFoundException', 'InvalidLayerPartException'] } as const,
}));

export const bridgeSituations: readonly OciSituation[] = [...uploadsOfBridge, ...others];
export const publicBridgeSituations: readonly OciSituation[] = [...uploadsOfBridge, ...ofEcrPublic];

/** What the table of routes has and no column is about. */
export const uncovered: readonly string[] = routes.flatMap((route) => {
  const isOf = (method: string) =>
    bridgeSituations.some(({ of }) => {
      const [ofMethod, path = ''] = of.split(' ');
      const sample = path.replace('…', repository).replace(/<\w+>/, 'x');
      return method === ofMethod && routes.find(({ pattern }) => pattern.test(sample)) === route;
    });
  return Object.keys(route.methods).flatMap((method) =>
    isOf(method) ? [] : [`${method} ${route.pattern.source}`],
  );
});
