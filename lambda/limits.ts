// Every limit the proxy stands on, with the source of each; sizes in bytes, times in milliseconds.

const MiB = 1_048_576;

/**
 * The `partSize` that InitiateLayerUpload answers, and the only size a part that is not the last may have.
 * In base64 it is 5,592,408 characters: under {@link maxEventBytes} with room for the envelope and for
 * clients whose JSON writes `/` as `\/`. Decision 0001.
 */
export const partSize = 4 * MiB;

/** Two parts joined: over ECR's smallest part (5 MiB), under its largest. */
export const joinedPartSize = 2 * partSize;

/** ECR's largest layer part. Source: Amazon ECR service quotas, "Maximum layer part size". */
export const maxEcrPartBytes = 10 * MiB;

/** A synchronous invocation's event must be smaller than this. Source: Lambda's RequestEntityTooLargeException. */
export const maxEventBytes = 6_291_456;

/** API Gateway's largest request payload. Source: API Gateway quotas, "Payload size". */
export const maxPayloadBytes = 10 * MiB;

/** How long API Gateway waits for an integration. Source: API Gateway quotas, "Integration timeout". */
export const integrationTimeoutMs = 29_000;

/** Kept free at the end of an invocation, so that the answer is ours (504) and not API Gateway's. */
export const answerReserveMs = 1_500;

/** How long a function may keep the clients' tokens in memory: a revocation takes effect within this time. */
export const secretMaxAgeMs = 30_000;

/** CompleteLayerUpload and BatchCheckLayerAvailability take this many digests at most. Source: ECR API reference. */
export const maxLayerDigests = 100;

/** The largest `imageManifest`, in characters. Source: ECR API reference, PutImage. */
export const maxManifestCharacters = 4_194_304;
