// What can go wrong with a layer that no answer of the proxy stands for, as one class.

export type LayerProblemCode =
  /** The layer has no byte; ECR takes none such. */
  | 'EmptyLayer'
  /** Bytes are needed again that the source gave once and cannot give a second time. */
  | 'BytesGone'
  /** The proxy no longer knows the upload, and it cannot be started again. */
  | 'UploadLost'
  /** The proxy names byte after byte to go on from, and takes none. */
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
