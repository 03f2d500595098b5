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

/** The longest token that is looked at, in characters. API Gateway takes 10,240 bytes of headers in all. */
export const maxTokenCharacters = 8_192;

/** How deep the JSON of a token's header or claims may nest: real ones have three levels (Kubernetes). */
export const maxTokenDepth = 8;

/** How far the clock of an OIDC issuer may be off, for `exp` and `nbf`. */
export const maxClockSkewMs = 60_000;

/** The longest wait for an issuer's key set, and its largest size in bytes. */
export const keySetTimeoutMs = 3_000;
export const maxKeySetBytes = 262_144;

/** An issuer's keys are fetched for an unknown key id, or after a failure, once in this time at most. */
export const keySetRetryMs = 30_000;

/** After this time an issuer's keys are fetched anew; while that fails, the old ones serve so long at most. */
export const keySetFreshMs = 3_600_000;
export const keySetMaxAgeMs = 86_400_000;

/** How many claims a refusal echoes, and how many characters of each value. */
export const maxEchoedClaims = 40;
export const maxEchoedCharacters = 256;

/** How deep a manifest's JSON may nest; one of the OCI image specification has five levels. */
export const maxManifestDepth = 32;

/**
 * Cedar evaluates an expression by recursion, on a stack of 1 MiB inside the WebAssembly memory, and traps where it
 * ends: after 280 levels of the dearest kind (method calls), 360 of the cheapest, wherever it runs. More than half
 * of that is left free. Measured with cedar-wasm 4.13; held by `test/unit/policy-depth.test.ts`.
 */
export const maxPolicyDepth = 128;

/** How many parts of its expressions a policy may have to evaluate for a request. */
export const maxPolicySize = 100_000;

/**
 * All policies of a directory and their schema, in bytes: some 2,000 policies, whose check takes some
 * 4 s of the 10 that Lambda gives a function's start, and a new engine some 300 ms.
 */
export const maxPolicyBytes = 524_288;

/** What the log tells of the policies that failed in a decision. */
export const maxPolicyErrors = 10;
export const maxPolicyErrorCharacters = 500;
