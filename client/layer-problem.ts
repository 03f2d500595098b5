// Failures of a layer's upload that are no answer of the proxy, as one class.

export type LayerProblemCode =
  /** The layer has no byte; ECR takes none such. */
  | 'EmptyLayer'
  /** Bytes are needed again, and the source cannot be read a second time. */
  | 'BytesGone'
  /** The proxy no longer knows the upload, and it cannot be started again. */
  | 'UploadLost'
  /** The proxy keeps naming a byte to continue from, and accepts no part there. */
  | 'NoProgress'
  /** The bytes read have another digest than the caller said. */
  | 'DigestMismatch'
  /** ECR has a layer of this digest, and of another size than the caller said. */
  | 'SizeMismatch';

/** A layer that cannot be pushed; the message says why and what to do. `cause` is what led there. */
export class LayerProblem extends Error {
  override readonly name = 'LayerProblem';
  readonly code: LayerProblemCode;

  constructor(code: LayerProblemCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
