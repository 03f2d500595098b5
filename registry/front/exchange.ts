// A request of an OCI client after it was read, and what it is answered.

import type { IncomingHttpHeaders } from 'node:http';
import type { Subject } from '../../api/oci.ts';
import type { Caller, RegistryPort } from '../port.ts';
import type { UploadSlots } from './upload-slots.ts';

export type Exchange = {
  readonly port: RegistryPort;
  readonly slots: UploadSlots;
  /** No upload is begun any more. */
  readonly isClosing: boolean;
  readonly warn: Caller['warn'];
  /** Counts a manifest that is in memory, until the request is over. @throws OciError UNAVAILABLE */
  readonly holdManifest: (bytes: number) => void;
  readonly repositoryName: string;
  /** The last segment of the path: a digest, a tag or an upload's reference. */
  readonly reference: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Read once. */
  readonly body: AsyncIterable<Uint8Array>;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /**
   * Left out of the answer to a HEAD by whoever writes it. Chunks need a `content-length` among the headers; an object
   * is written as JSON.
   */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | Readonly<Record<string, unknown>>;
};

export type Handler = (exchange: Exchange) => Promise<Answer>;

export type Route = {
  /** Of the path without its query; the groups `name` and `reference`, where there are such. */
  readonly pattern: RegExp;
  readonly subject: Subject;
  readonly methods: Readonly<Record<string, Handler>>;
};
