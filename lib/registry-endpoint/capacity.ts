// How many uploads one server takes at once, from the memory that it has.

/**
 * What one upload holds at most, in MiB: two parts of 10 MiB on their way to ECR, in base64 while they are sent, and
 * what has arrived of the next. Taken high; what was measured is in docs/registry-endpoint.md.
 */
export const mebibytesPerUpload = 40;

/** What the server takes without an upload, in MiB: Node.js, the code, Cedar's engine and the policies. */
export const idleMebibytes = 384;

/** Of a Lambda web function's execution environment, in MiB; it has no other size. Source: the Lambda developer guide. */
export const webFunctionMebibytes = 2_048;

/** The most requests that an execution environment of a web function may be given at once. Source: as above. */
const maxConcurrency = 128;

export const uploadsIn = (mebibytes: number): number =>
  Math.floor((mebibytes - idleMebibytes) / mebibytesPerUpload);

/** Every request may be an upload, so that an environment is given no more of them than it has memory for. */
export const webFunctionConcurrency = Math.min(maxConcurrency, uploadsIn(webFunctionMebibytes));
