// How much of everything the front takes, and how long it waits: sizes in bytes, times in milliseconds.

const MiB = 1_048_576;

export type Bounds = {
  /** Requests that bring bytes of a blob, of one client and in all, of this process. */
  uploadsPerClient: number;
  uploads: number;
  /** Of manifests that are brought or taken, of one client and in all: each is in memory as a whole. */
  manifestBytesPerClient: number;
  manifestBytes: number;
  /** For the next bytes of a body, and for a client to take the next of an answer. Node.js has no such clock. */
  idleMs: number;
  /** For the headers of a request. */
  headersMs: number;
  /** For the next request of a connection. Behind a load balancer longer than its idle timeout, by 15 s. */
  keepAliveMs: number;
  /** Of the request line and all headers: tokens are long. */
  headerBytes: number;
  /** What is still read of a body that is refused, so that clients that write before they read learn the reason. */
  drainedBytes: number;
  drainMs: number;
  /** After the last request of an upload the next one may come: a push is several. */
  betweenUploadsMs: number;
};

export const defaultBounds: Bounds = {
  uploadsPerClient: 64,
  uploads: 128,
  manifestBytesPerClient: 24 * MiB,
  manifestBytes: 64 * MiB,
  idleMs: 120_000,
  headersMs: 60_000,
  keepAliveMs: 72_000,
  headerBytes: 65_536,
  drainedBytes: 256 * MiB,
  drainMs: 30_000,
  betweenUploadsMs: 1_000,
};
