// Every limit of the proxy, each with its source; sizes in bytes, times in milliseconds.

const MiB = 1_048_576;

/**
 * The `partSize` that InitiateLayerUpload answers, and the only size a part that is not the last may have. Two of them
 * are joined: over ECR's smallest part (5 MiB), under its largest. An upload keeps to the one that it began with.
 * In base64 it is 5,592,408 characters: under {@link maxEventBytes} with room for the envelope and for
 * clients whose JSON writes `/` as `\/`. Decision 0001.
 */
export const partSize = 4 * MiB;

/** ECR's largest layer part. Source: Amazon ECR service quotas, "Maximum layer part size". */
export const maxEcrPartBytes = 10 * MiB;

/** ECR's smallest layer part but for the last one. Source: as above, "Minimum layer part size". */
export const minEcrPartBytes = 5 * MiB;

/** A synchronous invocation's event must be smaller than this. Source: Lambda's RequestEntityTooLargeException. */
export const maxEventBytes = 6_291_456;

/** A synchronous invocation's answer may be as large as this, as JSON. Source: Lambda's ResponseSizeTooLarge. */
export const maxResponseBytes = 6_291_556;

/** API Gateway's largest request payload. Source: API Gateway quotas, "Payload size". */
export const maxPayloadBytes = 10 * MiB;

/** How long API Gateway waits for an integration. Source: API Gateway quotas, "Integration timeout". */
export const integrationTimeoutMs = 29_000;

/** Reserved at the end of an invocation, so that the proxy answers 504 before API Gateway does. */
export const answerReserveMs = 1_500;

/** How long a function may keep the clients' tokens in memory: a revocation takes effect within this time. */
export const secretMaxAgeMs = 30_000;

/**
 * The longest wait for an answer of Secrets Manager. All requests of a process wait for the same one: where it never
 * comes, as on a connection that something on the way has forgotten, each would wait for ever.
 */
export const secretTimeoutMs = 3_000;

/** For tokens that are unknown the secret is read again, once in this time at most. */
export const secretRereadMs = 1_000;

/** CompleteLayerUpload and BatchCheckLayerAvailability take this many digests at most. Source: ECR API reference. */
export const maxLayerDigests = 100;

/** BatchGetImage takes this many images and media types at most. Source: ECR's service model, ImageIdentifierList, MediaTypeList. */
export const maxImageIds = 100;
export const maxAcceptedMediaTypes = 100;

/** The longest page of ListImages and of ListImageReferrers. Source: ECR's service model, MaxResults, FiftyMaxResults. */
export const maxListedImages = 1_000;
export const maxListedReferrers = 50;

/** The artifact types that ListImageReferrers looks for at once. Source: ECR's service model, ArtifactTypeList. */
export const maxArtifactTypes = 5;

/** The longest token of a next page: ECR's are some hundred characters, and no bound of theirs is known. */
export const maxNextTokenCharacters = 4_096;

/** The largest `imageManifest`, in characters. Source: ECR API reference, PutImage. */
export const maxManifestCharacters = 4_194_304;

/** The largest body of a few names, in bytes. */
export const maxSmallBodyBytes = 16_384;

/** The largest body with a list of digests: {@link maxLayerDigests} of {@link maxDigestCharacters}, with escapes. */
export const maxDigestsBodyBytes = 262_144;

/** A body is one object of ECR's members: of structural characters (RFC 8259), 100 digests have 100. */
export const maxBodyDepth = 32;
export const maxBodyStructuralCharacters = 1_000;

/** The longest digest. Those of `sha512:` have 135 characters. */
export const maxDigestCharacters = 1_000;

/** How many invalid members a refusal names, and how many failed policies the log names. */
export const maxFaults = 5;

/** How many digests of a completion, and how many images of a read, are logged; clients send one. */
export const maxLoggedDigests = 5;

/** The largest answer of an error, and the largest line that a request or a failure writes to the log. */
export const maxErrorBytes = 4_096;
export const maxLogLineBytes = 16_384;

/** The longest token that is looked at, in characters. API Gateway takes 10,240 bytes of headers in all. */
export const maxTokenCharacters = 8_192;

/**
 * The longest session token, in characters. As the password of Basic it becomes a header of 7,300 bytes: of the 8,000
 * that all headers have at a private API, and 8,192 that one has behind most web servers, that leaves room for others.
 * Source: API Gateway quotas, "Total combined size of request line and header values".
 */
export const maxSessionTokenCharacters = 5_400;

/** How far the clocks of the proxy's own instances may be apart. */
export const sessionClockSkewMs = 5_000;

/** How deep the JSON of a token's header or claims may nest: real ones have three levels (Kubernetes). */
export const maxTokenDepth = 8;

/** The longest number in a claim, in characters, also after it is written without an exponent. */
export const maxNumberCharacters = 64;

/**
 * How far ahead a token's `exp` may lie where its issuer is not configured otherwise: a day, which is the longest that
 * the tokens of EKS pods and of Amazon Cognito live unless somebody asks for more. Decision 0011.
 */
export const maxTokenLifetimeSeconds = 86_400;

/** The smallest RSA modulus of an issuer's key. Source: RFC 7518, section 3.3; NIST SP 800-131A. */
export const minRsaModulusBits = 2_048;

/** How many keys of one key id and one algorithm a signature is held against: key sets have one, or two for a while. */
export const maxKeysOfOneId = 4;

/** How far the clock of an OIDC issuer may be off, for `exp`, `nbf` and `iat`. */
export const maxClockSkewMs = 60_000;

/** The longest wait for an issuer's key set, and its largest size in bytes. */
export const keySetTimeoutMs = 3_000;
export const maxKeySetBytes = 262_144;

/** An issuer's keys are fetched at most once in this time for an unknown key id, or after a failure. */
export const keySetRetryMs = 30_000;

/** After the first time an issuer's keys are fetched again; while that fails, the old ones are used until the second. */
export const keySetFreshMs = 3_600_000;
export const keySetMaxAgeMs = 86_400_000;

/** How many claims a refusal echoes, and how many characters of each value. */
export const maxEchoedClaims = 40;
export const maxEchoedCharacters = 256;

/** How deep a manifest's JSON may nest; one of the OCI image specification has five levels. */
export const maxManifestDepth = 32;

/**
 * How many layers, manifests or blobs a manifest may list. A runnable image has 125 at most (moby,
 * layer.MaxLayerDepth); registries set no limit but the manifest's size, 4 MiB in distribution and ECR. Artifacts
 * with a layer for each file have thousands.
 */
export const maxManifestDescriptors = 10_000;

/**
 * The structural characters (RFC 8259) of a manifest: as many descriptors as there may be, each with an
 * annotation or two, have 150,000.
 */
export const maxManifestStructuralCharacters = 200_000;

/** The longest media type: two names of 127 characters. Source: RFC 6838, section 4.2. */
export const maxMediaTypeCharacters = 255;

/**
 * What the policy sees of a manifest: media types and annotations, and in them the characters that are not
 * plain ASCII, quotes and backslashes among these, which cost Cedar 50 times as much as others (0.3 µs to 0.8 µs).
 * OCI's conformance suite puts a manifest of 390 annotations of 10,000 plain characters each; images have some
 * twenty annotations.
 */
export const maxPolicyTexts = 2_000;
export const maxPolicyEscapes = 32_768;

/**
 * Cedar evaluates an expression by recursion, on a stack of 1 MiB inside the WebAssembly memory, and traps when it
 * overflows: after 280 levels of the dearest kind (method calls), 360 of the cheapest, wherever it runs. More than half
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

/** How much the log says of the policies that failed in a decision. */
export const maxPolicyErrors = 10;
export const maxPolicyErrorCharacters = 500;
