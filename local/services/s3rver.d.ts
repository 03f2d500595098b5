// The part of @20minutes/s3rver that the local S3 uses; the package ships no types.

declare module '@20minutes/s3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Readable } from 'node:stream';

  export type S3Object = {
    bucket: string;
    key: string;
    metadata: Readonly<Record<string, string>>;
    /** Absent where it is not in the range that was asked for. */
    content?: Readable;
    size: number;
    lastModifiedDate: Date;
    range?: { start: number; end: number };
  };

  export type Written = { size: number; md5: string };

  /** What s3rver asks of its store to read and write objects. */
  export type Store = {
    getBucket(bucket: string): Promise<object | null>;
    getSubresource(bucket: string, key: string | undefined, resource: string): Promise<object | null>;
    existsObject(bucket: string, key: string): Promise<boolean>;
    getObject(
      bucket: string,
      key: string,
      range?: { start?: number; end?: number },
    ): Promise<S3Object | null>;
    putObject(object: S3Object): Promise<Written>;
    deleteObject(bucket: string, key: string): Promise<void>;
  };

  export default class S3rver {
    constructor(options: { directory: string; silent: boolean; vhostBuckets: boolean });
    store: Store;
    readonly context: { store: Store };
    readonly logger: { close(): void };
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  }
}
