// The core: the files that mutants are planted into, and the tests that each is held against.

/** Files that are mutated together, since they are held by the same tests, by their names in test/. */
export type Group = { readonly files: readonly string[]; readonly tests: readonly string[] };

const below = (folder: string, ...names: string[]) => names.map((name) => `${folder}/${name}.ts`);

/** In the order in which they are measured: first what says who calls, then what a caller may do. */
export const core: readonly Group[] = [
  {
    files: below('lambda/identity', 'signing-key', 'jwt', 'decimal'),
    tests: ['unit/signing-key', 'unit/jwt'],
  },
  {
    files: below('lambda/identity', 'issuer-verifier', 'oidc-token', 'signing-keys'),
    tests: ['unit/issuer-tokens'],
  },
  { files: below('lambda/identity', 'key-set'), tests: ['unit/key-set'] },
  {
    files: [...below('lambda/identity', 'client-token', 'secret'), ...below('api', 'secret', 'sealing-keys')],
    tests: ['unit/secret'],
  },
  {
    files: [...below('lambda/identity', 'session-token'), ...below('api', 'session-tokens')],
    tests: ['unit/session-tokens'],
  },
  {
    files: [...below('lambda/steps', 'authenticate'), ...below('api', 'authorization')],
    tests: ['unit/authenticate', 'unit/authorization', 'unit/session-tokens'],
  },
  { files: below('lambda/upload', 'seal'), tests: ['unit/seal'] },
  { files: below('lambda/steps', 'authorize'), tests: ['unit/authorize'] },
  {
    files: below('policy', 'policies', 'entities', 'claims', 'principal', 'policy-statements'),
    tests: ['unit/decisions'],
  },
  { files: below('policy', 'cedar', 'policy-depth'), tests: ['unit/policy-measure'] },
  { files: below('policy', 'policy-files', 'policy-directory', 'quota-file'), tests: ['unit/policy-files'] },
  { files: below('policy', 'sample-requests'), tests: ['unit/sample-requests'] },
  {
    files: ['lambda/steps/validate.ts', 'lambda/invalid-members.ts'],
    tests: ['unit/validate'],
  },
  { files: below('lambda/gateway', 'event-members'), tests: ['unit/event-members'] },
  { files: ['lambda/serve.ts'], tests: ['unit/serve-order'] },
  {
    files: below(
      'registry/front',
      ...[
        'names',
        'content-range',
        'credentials',
        'oci-errors',
        'upload-place',
        'upload-slots',
        'taken',
        'manifest-memory',
        'unreadable',
        'bounds',
        'other-routes',
      ],
    ),
    tests: ['unit/registry-front'],
  },
  {
    files: [
      ...below('lambda/upload', 'layer-upload', 'direct-upload'),
      ...below('lambda/steps/forward', 'layer-parts', 'layer-completion', 'images', 'upload-of', 'upstream'),
      'lambda/steps/forward.ts',
    ],
    tests: ['unit/paired-parts', 'unit/layer-completions', 'unit/direct-parts', 'unit/forward'],
  },
  {
    files: below('lambda/upload', 'staging'),
    tests: ['unit/staging', 'unit/paired-parts', 'unit/layer-completions'],
  },
  {
    files: below('lambda/quota', 'quota-items', 'quota-counts'),
    tests: ['unit/quota-items', 'unit/counted-range', 'unit/quotas', 'unit/quota-counts'],
  },
  { files: below('lambda/quota', 'counted-range'), tests: ['unit/counted-range'] },
  { files: below('lambda/quota', 'applied-quotas'), tests: ['unit/quotas'] },
  {
    files: below('api', 'strict-json', 'well-formed'),
    tests: ['unit/strict-json', 'unit/well-formed'],
  },
  {
    files: below('api', 'manifest', 'manifest-schemas', 'digest'),
    tests: ['unit/manifest-members', 'unit/manifest'],
  },
  {
    files: below('registry/front', 'uploads', 'blobs', 'manifests', 'listings', 'routes', 'answers'),
    tests: ['unit/registry-handlers'],
  },
  { files: below('registry/front', 'serve'), tests: ['unit/registry-serve'] },
  {
    files: below(
      'registry/hosted',
      'upload-place',
      'blob-upload',
      'part-sender',
      'part-cutter',
      'part-buffers',
    ),
    tests: ['unit/hosted-bodies'],
  },
  { files: below('registry/front', 'incoming-body', 'traffic'), tests: ['unit/registry-bodies'] },
  { files: below('registry/front', 'server'), tests: ['contract/registry-server'] },
  { files: below('registry/hosted', 'registry'), tests: ['unit/hosted-registry'] },
  {
    files: below('registry/hosted', 'request-record', 'request-records', 'session-tokens'),
    tests: ['unit/hosted-requests'],
  },
  { files: below('registry/hosted', 'environment'), tests: ['unit/hosted-environment'] },
  { files: below('registry/hosted', 'task-protection'), tests: ['unit/task-protection'] },
  { files: below('registry/hosted', 'server', 'uploads-metric'), tests: ['contract/hosted-server'] },
  { files: below('registry/hosted', 'calls', 'answer-time'), tests: ['unit/hosted-calls'] },
  {
    files: [...below('registry/hosted', 'read-images', 'read-blobs'), 'api/pages.ts'],
    tests: ['unit/hosted-reads'],
  },
  { files: below('registry/hosted', 'lasting-tokens'), tests: ['unit/lasting-tokens'] },
  {
    files: below('client', 'uploader', 'layer-upload', 'layer-reader', 'layer-problem'),
    tests: ['unit/layer-reader', 'unit/layer-uploads'],
  },
  { files: below('lambda/upload', 'layer-parts'), tests: ['unit/layer-parts'] },
  { files: below('lambda/upload', 'ecr', 'ecr-answers'), tests: ['unit/ecr-answers', 'unit/forward'] },
  { files: below('lambda/upload', 'layer-part-body'), tests: ['unit/layer-part-body'] },
];
