// A request of an OCI client after it was read, and what it is answered.

import type { IncomingHttpHeaders } from 'node:http';
import type { Subject } from '../../api/oci.ts';
import type { Registry } from '../../api/registries.ts';
import type { BlobUploads } from '../../client/bridge/blob-uploads.ts';
import type { Identity } from '../../client/bridge/identities.ts';
import type { Destination } from '../../client/layer-upload.ts';
import type { Pushed } from './pushed.ts';

/** What the handlers share. */
export type RegistryState = {
  readonly registry: Registry;
  readonly uploads: BlobUploads;
  readonly pushed: Pushed;
};

export type Exchange = RegistryState & {
  readonly isHead: boolean;
  readonly destination: Destination;
  /** The last segment of the path: a digest, a tag or an upload's id. */
  readonly reference: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Read once. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly identity: Identity;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Left out of the answer to a HEAD, by whoever writes it. */
  readonly body?: Uint8Array | object;
};

export type Handler = (exchange: Exchange) => Promise<Answer>;

export type Route = {
  /** Of the path without its query; the groups `name` and `reference`, where there are such. */
  readonly pattern: RegExp;
  readonly subject: Subject;
  readonly methods: Readonly<Record<string, Handler>>;
};

/** Whose memory of what was pushed an exchange reads and writes. */
export const scopeOf = ({ identity, destination }: Pick<Exchange, 'identity' | 'destination'>): string =>
  `${identity.key} ${destination.repositoryName}`;
