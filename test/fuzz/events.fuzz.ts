// Mutated API Gateway events at every handler: each is answered as the error table says, and nothing leaks.

import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { type OperationName, operationNames } from '../../api/operations.ts';
import { awsHandler, type Handler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { lambdaContext, proxyEvent } from '../support/proxy-event.ts';
import { digestOf } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

/** Stands in every body and must stand in no answer and in no line of the log. */
const layerBytes = 'eG5ldmVyIGxvZ2dlZA==';
const maxAnswerCharacters = 8_192;
const maxLogCharacters = 16_384;
const maxMs = 60_000;

type Members = Record<string, unknown>;

const membersOf: Record<OperationName, (uploadId: string) => Members> = {
  InitiateLayerUpload: () => ({}),
  UploadLayerPart: (uploadId) => ({
    uploadId,
    partFirstByte: 0,
    partLastByte: 12,
    layerPartBlob: layerBytes,
  }),
  CompleteLayerUpload: (uploadId) => ({ uploadId, layerDigests: [digestOf('x')] }),
  BatchCheckLayerAvailability: () => ({ layerDigests: [digestOf('x')] }),
  BatchGetImage: () => ({ imageIds: [{ imageTag: '1.0' }, { imageDigest: digestOf('x') }] }),
  ListImages: () => ({ filter: { tagStatus: 'TAGGED' }, maxResults: 5 }),
  ListImageReferrers: () => ({ subjectId: { imageDigest: digestOf('x') }, filter: { artifactTypes: ['a'] } }),
  GetDownloadUrlForLayer: () => ({ layerDigest: digestOf('x') }),
  PutImage: () => ({
    imageTag: '1.0',
    imageManifest: JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('c'), size: 1 },
      layers: [],
      annotations: { note: layerBytes },
    }),
  }),
};

const longTexts = [300, 5_000, 100_000].map((length) => 'a'.repeat(length));
const text = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      ...[
        '',
        ' ',
        '\ud800',
        '\u0000',
        '\u202e',
        '__proto__',
        'constructor',
        'toString',
        'null',
        '-1',
        '1e999',
      ],
      ...['../..', '%2e%2e%2f', '%', "';--", '\\ud800', 'team-b/app', 'team-a/app', 'bytes 0-12/1', '*'],
      ...['application/json', 'APPLICATION/OCTET-STREAM', 'application/octet-stream; a=b', 'text/html'],
      ...longTexts,
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 5_000 }) },
);
const value = fc.oneof(
  { weight: 3, arbitrary: text },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown[]>(
      ...[null, true, 0, -1, 0.5, 2 ** 53, Number.MAX_VALUE, -0, [], {}, [[]], [null], [{}], { '': {} }],
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ stringUnit: 'binary' }) },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 200 }) },
);
const headerNames = [
  ...['authorization', 'content-type', 'content-range', 'x-amz-target', 'x-amz-security-token'],
  ...['amz-sdk-request', 'content-encoding', 'x-forwarded-for', 'host'],
];
const memberNames = [
  ...['repositoryName', 'registryId', 'uploadId', 'partFirstByte', 'partLastByte', 'layerPartBlob'],
  ...['layerDigests', 'imageManifest', 'imageManifestMediaType', 'imageTag', 'imageDigest'],
  ...[
    'mediaType',
    'artifactType',
    'annotations',
    'config',
    'layers',
    'manifests',
    'subject',
    'schemaVersion',
  ],
  // A secret that landed in the wrong place.
  tokens.a,
];
const name = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...headerNames) },
  { weight: 4, arbitrary: fc.constantFrom(...memberNames) },
  { weight: 1, arbitrary: text },
);

/** A value may have a `toString` that is no function. */
const textOf = (changed: unknown): string =>
  typeof changed === 'string' ? changed : (JSON.stringify(changed) ?? 'undefined');

type Request = {
  members: Members;
  headers: Record<string, string>;
  query: Map<string, string[]>;
  path: string | undefined;
  body?: string;
  cut?: number;
  isRaw: boolean;
};

/** As a parser of JSON does it: `__proto__` is a name like any other. */
const withMember = (members: Members, member: string, changed: unknown): Members =>
  Object.fromEntries([...Object.entries(members), [member, changed]]);

function manifestWith(manifest: unknown, member: string, changed: unknown): unknown {
  try {
    return JSON.stringify(withMember(Object(JSON.parse(String(manifest))), member, changed));
  } catch {
    // An earlier mutation has left no manifest to mutate.
    return manifest;
  }
}

/** What may be wrong with a request, one thing at a time. */
const mutations = {
  'another member': (request, member, changed) => {
    request.members = withMember(request.members, member, changed);
  },
  'no member': (request, member) => {
    delete request.members[member];
  },
  'another header': ({ headers }, header, changed) => {
    headers[header.toLowerCase()] = textOf(changed);
  },
  'no header': ({ headers }, header) => {
    delete headers[header];
  },
  'a query member': ({ query }, member, changed) => {
    query.set(member, [...(query.get(member) ?? []), textOf(changed)]);
  },
  'another path member': (request, _, changed) => {
    request.path = textOf(changed);
  },
  'another member of the manifest': ({ members }, member, changed) => {
    if ('imageManifest' in members) {
      members.imageManifest = manifestWith(members.imageManifest, member, changed);
    }
  },
  'another body': (request, _, changed) => {
    request.body = textOf(changed);
  },
  'a body cut off': (request, member) => {
    request.cut = member.length * 7;
  },
  'a body in base64': (request) => {
    request.isRaw = true;
  },
} as const satisfies Record<string, (request: Request, name: string, value: unknown) => void>;

const isMutation = (kind: string): kind is keyof typeof mutations => Object.hasOwn(mutations, kind);

const mutation = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constant<keyof typeof mutations>('another member') },
    { weight: 5, arbitrary: fc.constantFrom(...Object.keys(mutations).filter(isMutation)) },
  ),
  name,
  value,
});
type Mutation = typeof mutation extends fc.Arbitrary<infer One> ? One : never;

/** The request as an event of the operation's route, or of `POST /`, with everything that is wrong with it. */
function eventOf(
  operation: OperationName,
  uploadId: string,
  isAws: boolean,
  wrong: readonly Mutation[],
): APIGatewayProxyEvent {
  const { uploadId: id, ...others }: Members = membersOf[operation](uploadId);
  const request: Request = {
    members: { repositoryName: 'team-a/app', ...others, ...(isAws && id !== undefined && { uploadId: id }) },
    headers: {
      authorization: `Bearer ${tokens.a}`,
      'content-type': isAws ? 'application/x-amz-json-1.1' : 'application/json',
      'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    },
    query: new Map(),
    path: id === undefined ? undefined : uploadId,
    isRaw: false,
  };
  for (const { kind, name, value } of wrong) {
    mutations[kind](request, name, value);
  }
  const { headers, path, isRaw } = request;
  const body = (request.body ?? JSON.stringify(request.members)).slice(0, request.cut);
  const event = proxyEvent(operation, {
    headers,
    query: Object.fromEntries(request.query),
    ...(path === undefined ? {} : { path: { uploadId: path } }),
    ...(isRaw ? { bytes: Buffer.from(body) } : { text: body }),
  });
  return isAws ? { ...event, resource: '/', path: '/', httpMethod: 'POST', pathParameters: null } : event;
}

function faultOf(result: APIGatewayProxyResult, isAws: boolean): string | undefined {
  const { statusCode, body, headers } = result;
  if (statusCode >= 200 && statusCode < 300) {
    return undefined;
  }
  if (statusCode === 500) {
    return 'a fault of the proxy itself';
  }
  if (body.length > maxAnswerCharacters) {
    return `an answer of ${body.length} characters`;
  }
  const expected = isAws ? 'application/x-amz-json-1.1' : 'application/problem+json';
  if (headers?.['Content-Type'] !== expected) {
    return `the content type ${headers?.['Content-Type']}`;
  }
  const members: unknown = JSON.parse(body);
  const code = isAws ? '__type' : 'code';
  return Object.hasOwn(Object(members), code) ? undefined : `an answer without ${code}`;
}

function faultOfLog(lines: string): string | undefined {
  const longest = Math.max(...lines.split('\n').map(({ length }) => length));
  return longest > maxLogCharacters ? `a line of the log of ${longest} characters` : undefined;
}

/** An image that was put is echoed to who put it, as ECR does. */
function leakIn(lines: string, { statusCode, body }: APIGatewayProxyResult): string | undefined {
  const written = statusCode < 300 ? lines : lines + body;
  return [tokens.a, layerBytes].find((secret) => written.includes(secret)) && 'a token or a body was written';
}

describe('a mutated event', () => {
  let proxy: InProcess;
  let uploadId = '';
  const handlers = new Map<string, Handler>();
  let log: string[] = [];

  beforeAll(async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
      log.push(String(chunk));
      return true;
    });
    proxy = await startInProcess();
    for (const name of operationNames) {
      handlers.set(name, resourceHandler(name, proxy.services));
    }
    handlers.set('aws', awsHandler(proxy.services));
    const begun = await handlers.get('InitiateLayerUpload')?.(
      eventOf('InitiateLayerUpload', '', false, []),
      lambdaContext(),
    );
    uploadId = String(Object(JSON.parse(begun?.body ?? '{}')).uploadId);
  });
  afterAll(async () => {
    await proxy.close();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  const assertAnswered = async (operation: OperationName, isAws: boolean, wrong: readonly Mutation[]) => {
    log = [];
    const started = performance.now();
    const event = eventOf(operation, uploadId, isAws, wrong);
    const result = await handlers.get(isAws ? 'aws' : operation)?.(event, lambdaContext());
    if (result === undefined) {
      throw new Error('no answer');
    }
    const lines = log.join('');
    const fault = faultOf(result, isAws) ?? faultOfLog(lines) ?? leakIn(lines, result);
    if (fault !== undefined) {
      throw new Error(
        `${fault}: ${result.statusCode} ${result.body.slice(0, 1_000)}\n${lines.slice(0, 2_000)}`,
      );
    }
    if (performance.now() - started > maxMs) {
      throw new Error('an answer that took too long');
    }
  };

  it.each(operationNames.flatMap((operation) => [false, true].map((isAws) => ({ operation, isAws }))))(
    'of $operation (AWS API: $isAws) is answered as the error table says, and leaves no secret behind',
    async ({ operation, isAws }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), (wrong) =>
          assertAnswered(operation, isAws, wrong),
        ),
        fuzzed(5_000),
      );
    },
  );
});
