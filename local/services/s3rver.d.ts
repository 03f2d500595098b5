// The part of @20minutes/s3rver that the local S3 uses; the package ships no types.

declare module '@20minutes/s3rver' {
  import type { RequestListener } from 'node:http';

  type Store = {
    putBucket(bucket: string): Promise<unknown>;
    /** @throws an error with the code ENOENT when there is no such object */
    getMetadata(bucket: string, key: string): Promise<{ etag: string }>;
  };

  export default class S3rver {
    constructor(options: { directory: string; silent: boolean; vhostBuckets: boolean });
    readonly store: Store;
    readonly logger: { close(): void };
    callback(): RequestListener;
  }
}
