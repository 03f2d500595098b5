// How many uploads one server takes at once, from the memory that it has.

/**
 * What one more upload takes, in MiB: the part that is gathered, the one on its way to ECR, and what they leave behind
 * until memory is collected. 33 were measured (docs/registry-endpoint.md, "Memory"), and a fifth is added.
 */
export const mebibytesPerUpload = 40;

/**
 * What the server takes however many uploads there are, in MiB: 208 without any, for Node.js, the code, Cedar's engine
 * and the policies, and 54 for the parts that are sent, of which there are four at once.
 */
export const idleMebibytes = 384;

/** Of a Lambda web function's execution environment, in MiB; it has no other size. Source: the Lambda developer guide. */
export const webFunctionMebibytes = 2_048;

/** The most requests that an execution environment of a web function may be given at once. Source: as above. */
const maxConcurrency = 128;

export const uploadsIn = (mebibytes: number): number =>
  Math.floor((mebibytes - idleMebibytes) / mebibytesPerUpload);

/** Every request may be an upload, so that an environment is given no more of them than it has memory for. */
export const webFunctionConcurrency = Math.min(maxConcurrency, uploadsIn(webFunctionMebibytes));
