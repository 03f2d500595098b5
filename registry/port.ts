// What the OCI distribution front needs of a registry: the port between HTTP and the code that reaches ECR.

import type { ErrorCode } from '../api/errors.ts';
import { ProxyError } from '../api/proxy-error.ts';

/** One HTTP request, as far as it concerns more than HTTP. */
export type Caller = {
  /** The password of Basic or the token of Bearer; undefined where there is no `Authorization`. Never logged. */
  readonly token: string | undefined;
  readonly sourceIp: string | undefined;
  readonly userAgent: string | undefined;
  /** Made by the front: no client chooses it. */
  readonly requestId: string;
  /** Aborted when the client has gone away, or this server cannot wait any longer. */
  readonly abortSignal: AbortSignal;
  /** A message for the user with the answer (`Warning: 299`), such as that a quota is nearly used up. */
  readonly warn: (text: string) => void;
};

/**
 * Says who calls, and does nothing else: a login calls this and no more. Every other request calls it first.
 * @throws ProxyError; UnrecognizedClientException makes the front ask for a password
 */
export type OpenRegistry = (caller: Caller) => Promise<RegistryPort>;

/**
 * How far an upload is. The reference is the end of its `Location`: what this port needs to find the upload again,
 * in `[A-Za-z0-9_-]`, worthless without the caller's token. A client uses the reference it was given last.
 */
export type UploadState = {
  readonly reference: string;
  /** How many bytes, from the blob's first on, need not be sent again. */
  readonly position: number;
};

/** The body of a request that brings bytes of a blob. */
export type IncomingBytes = {
  /** Of `Content-Range`: the position of the first byte; undefined where the request does not say. */
  readonly first: number | undefined;
  /** Of `Content-Length`; undefined where the body has none, as docker's. */
  readonly length: number | undefined;
  /**
   * Read once, and as fast as the reader asks: that holds the client back. Throws when the client goes away or
   * stops sending. A chunk's memory is the reader's to keep.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
};

/** A tag or a digest; which of them, the front has found out. */
export type ImageReference = { readonly tag: string } | { readonly digest: string };

export type NewManifest = {
  readonly tag: string | undefined;
  /** The SHA-256 of the bytes, which the front has compared with the reference. */
  readonly digest: string;
  /** Without parameters; undefined where neither the request nor the manifest says. */
  readonly mediaType: string | undefined;
  readonly bytes: Uint8Array;
};

export type Manifest = { readonly digest: string; readonly mediaType: string; readonly bytes: Uint8Array };

/** A descriptor of OCI's list of referrers. */
export type Referrer = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

/** Where a blob can be read. */
export type BlobContent =
  | { readonly url: string }
  | { readonly size: number; readonly chunks: AsyncIterable<Uint8Array> };

/**
 * One caller's registry. Names of repositories, digests and tags that it is given have their form; the rest it
 * judges itself. Every method throws ProxyError where it refuses, and what it throws besides is a fault.
 */
export interface RegistryPort {
  /** Who calls, for limits and logs: the same for all requests of one client, and no secret. */
  readonly client: string;
  /** `OCI-Chunk-Min-Length`: clients that send chunks make them at least so long. */
  readonly minChunkBytes: number;

  /** Before a byte is sent: may this client push here, and is the repository there? */
  begin(repositoryName: string): Promise<UploadState>;
  /**
   * Takes bytes, from `incoming.first` or else from where the reference says. A body from byte 0 without a
   * Content-Range starts the layer again, for clients send it whole to the same `Location`.
   * @throws PortError with the upload's state where the bytes are not the next ones
   */
  append(repositoryName: string, reference: string, incoming: IncomingBytes): Promise<UploadState>;
  /** Takes the last bytes, or all, or none, and ends the upload. That ECR has the layer already is a success. */
  finish(repositoryName: string, reference: string, digest: string, incoming: IncomingBytes): Promise<void>;
  status(repositoryName: string, reference: string): Promise<UploadState>;
  /** Also for an upload that nobody knows. */
  cancel(repositoryName: string, reference: string): Promise<void>;

  /** @returns undefined where ECR does not have it */
  hasBlob(repositoryName: string, digest: string): Promise<{ readonly size: number | undefined } | undefined>;
  getBlob(repositoryName: string, digest: string): Promise<BlobContent | undefined>;

  /**
   * That ECR has the image already is a success.
   * @returns whether ECR lists it as a referrer of its subject; if not, clients keep such a list under a tag
   */
  putManifest(repositoryName: string, manifest: NewManifest): Promise<{ readonly listsReferrers: boolean }>;
  /** As it was pushed. @throws AccessDeniedException where this client may not read */
  getManifest(repositoryName: string, reference: ImageReference): Promise<Manifest | undefined>;
  /** All of them, in any order. */
  listTags(repositoryName: string): Promise<readonly string[]>;
  /** All of them; `artifactType` asks for fewer, and may be ignored. Undefined where ECR keeps no referrers. */
  listReferrers(
    repositoryName: string,
    digest: string,
    artifactType: string | undefined,
  ): Promise<readonly Referrer[] | undefined>;
}

/** What a refusal has for a registry's client besides the row of the error table. */
export type PortErrorMembers = {
  /** Where the client can go on: InvalidLayerPartException with it becomes 416 with `Location` and `Range`. */
  readonly uploadState?: UploadState | undefined;
  /** Of the request that was refused, where it is another than the caller's. */
  readonly requestId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** What of the request goes on after its refusal: until it is over, it takes the place of an upload. */
  readonly goesOn?: Promise<void> | undefined;
  readonly cause?: unknown;
};

/** A refusal that knows more than its row. A ProxyError without such knowledge is thrown as it is. */
export class PortError extends ProxyError {
  readonly uploadState: UploadState | undefined;
  readonly requestId: string | undefined;
  readonly goesOn: Promise<void> | undefined;

  constructor(
    code: ErrorCode,
    detail: string,
    { uploadState, requestId, retryAfterSeconds, goesOn, cause }: PortErrorMembers = {},
  ) {
    super(code, detail, { cause, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
    this.uploadState = uploadState;
    this.requestId = requestId;
    this.goesOn = goesOn;
  }
}

/** A descriptor of OCI's, without what is ECR's own. */
export const referrerOf = ({ mediaType, digest, size, artifactType, annotations }: Referrer): Referrer => ({
  mediaType,
  digest,
  size,
  artifactType,
  annotations,
});
