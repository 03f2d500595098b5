// The error codes of the OCI distribution API.

/**
 * OCI's codes with the status that each goes with; the last four are distribution's and ECR's own. TOOMANYREQUESTS is
 * not among them: docker gives up at it.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
 */
export const ociStatuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  RANGE_INVALID: 416,
  TAG_INVALID: 400,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
} as const;

export type OciCode = keyof typeof ociStatuses;

/** What a request is about; the same refusal of ECR's is of a blob or of a manifest. */
export type Subject = 'blob' | 'manifest';

/** One code, or one for each subject. */
export type OciForm = OciCode | Readonly<Record<Subject, OciCode>>;
