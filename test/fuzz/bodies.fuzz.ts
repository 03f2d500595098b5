// Random bodies and manifests at the real handlers: no fault of the proxy's, no long answer or log, nothing of a manifest told.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { maxErrorBytes, maxLogLineBytes } from '../../api/limits.ts';
import { readManifest } from '../../api/manifest.ts';
import { type OperationName, operationNames, operations } from '../../api/operations.ts';
import { awsHandler, type Handler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { descriptor, ociIndex, ociLayer, ociManifest } from '../support/manifests.ts';
import { awsEvent, lambdaContext, proxyEvent } from '../support/proxy-event.ts';
import { tokens } from '../support/resource-api.ts';

const maxCpuMs = 300;
/** What a line of the log has beside the request's own members: Powertools' keys, status and duration. */
const lineEnvelopeBytes = 1_000;

const name = fc.oneof(
  fc.constantFrom('repositoryName', 'layerDigests', 'imageManifest', 'imageTag', 'layerPartBlob', 'uploadId'),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'partFirstByte', 'partLastByte', 'registryId'),
  fc.string({ unit: 'binary' }),
);
const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('team-a/app', '\ud800', '\udfff', '{}', '[', '漢'.repeat(2_000), 'x'.repeat(200_000)),
);
const value = fc.oneof(
  hostileText,
  fc.array(hostileText, { maxLength: 200 }),
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(1e308, -1, 0.5, Number.MAX_SAFE_INTEGER, null),
);
const members = fc.dictionary(name, value, { maxKeys: 30 });
const body = fc.oneof(
  { weight: 4, arbitrary: members.map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: members.map((one) => JSON.stringify(one).slice(0, -1)) },
  {
    weight: 1,
    arbitrary: fc.nat(60_000).map((count) => `{${Array.from({ length: count }, (_, at) => `"k${at}":1`)}}`),
  },
);

/** Members of a manifest, some of them almost right. */
const descriptorLike = fc.oneof(
  fc.constant(descriptor('', ociLayer)),
  fc.record({ mediaType: value, digest: value, size: value, platform: value }, { requiredKeys: [] }),
);
const manifest = fc.record(
  {
    schemaVersion: fc.constantFrom(2, 1, null),
    mediaType: fc.constantFrom(ociManifest, ociIndex, null, ''),
    config: fc.oneof(fc.constant(descriptor('', ociLayer)), value),
    layers: fc.oneof(fc.array(descriptorLike), value),
    manifests: fc.oneof(fc.array(descriptorLike), value),
    blobs: fc.oneof(fc.array(descriptorLike), value),
    annotations: fc.oneof(fc.dictionary(hostileText, hostileText, { maxKeys: 20 }), value),
    subject: value,
    Layers: value,
  },
  { requiredKeys: ['mediaType'] },
);

/** A neighbour on the machine can make a try dear, and never makes one cheap. */
function cpuMsOf(run: () => unknown, tries = 5): number {
  const started = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(started);
  const cpuMs = (user + system) / 1_000;
  return cpuMs < maxCpuMs || tries === 1 ? cpuMs : cpuMsOf(run, tries - 1);
}

describe('readManifest', () => {
  it('never throws, and takes no longer than a request may', () => {
    fc.assert(
      fc.property(fc.oneof(manifest, fc.jsonValue(), value), (json) => {
        const text = JSON.stringify(json);
        expect(cpuMsOf(() => readManifest(text, ociManifest))).toBeLessThan(maxCpuMs);
        const read = readManifest(text, ociManifest);
        if (!('facts' in read)) {
          return;
        }
        const { artifactType = '', layerMediaTypes, annotations } = read.facts;
        const texts = [artifactType, ...layerMediaTypes, ...Object.entries(annotations).flat()];
        expect(texts.filter((one) => !one.isWellFormed())).toEqual([]);
      }),
      fuzzed(3_000),
    );
  });

  it('refuses whatever Go folds to a name that it reads', () => {
    const cases: Readonly<Record<string, string>> = { s: 'sSſ', k: 'kK\u212a' };
    const inAnyCase = fc
      .constantFrom(
        'layers',
        'config',
        'mediaType',
        'artifactType',
        'annotations',
        'manifests',
        'subject',
        'blobs',
      )
      .chain((known) =>
        fc
          .tuple(
            ...[...known].map((letter) =>
              fc.constantFrom(...(cases[letter] ?? letter + letter.toUpperCase())),
            ),
          )
          .map((letters) => ({ known, folded: letters.join('') })),
      );
    fc.assert(
      fc.property(inAnyCase, value, ({ known, folded }, json) => {
        fc.pre(known !== folded);
        const image = {
          mediaType: ociManifest,
          config: descriptor('', ociLayer),
          layers: [],
          [folded]: json,
        };
        expect(readManifest(JSON.stringify(image), undefined)).toHaveProperty('fault');
      }),
      fuzzed(2_000),
    );
  });
});

describe('the handlers', () => {
  let proxy: InProcess;
  let resources: ReadonlyMap<OperationName, Handler>;
  let aws: Handler;
  const log: string[] = [];

  beforeAll(async () => {
    proxy = await startInProcess();
    resources = new Map(operationNames.map((one) => [one, resourceHandler(one, proxy.services)]));
    aws = awsHandler(proxy.services);
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => log.push(String(chunk)) > 0);
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await proxy?.close();
  });

  /** Sends a body to an operation of both APIs; gives status, answer and log of each. */
  const sendTo = async (operation: OperationName, text: string) => {
    const toResourceApi = proxyEvent(operation, {
      text,
      headers: { authorization: `Bearer ${tokens.a}` },
      path: operations[operation].path.includes('{uploadId}') ? { uploadId: 'an-upload' } : {},
    });
    const toAwsApi = awsEvent(operation, { text, headers: { 'x-amz-security-token': tokens.a } });
    const outcomes = [];
    for (const [handler, event] of [
      [resources.get(operation), toResourceApi],
      [aws, toAwsApi],
    ] as const) {
      log.length = 0;
      const answer = await handler?.(event, lambdaContext());
      outcomes.push({ status: answer?.statusCode ?? 0, answer: answer?.body ?? '', log: log.join('') });
    }
    return outcomes;
  };

  it('answer any body without a fault of their own, and neither answer nor log is long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operationNames), body, async (operation, text) => {
        for (const { status, answer, log } of await sendTo(operation, text)) {
          expect(status).toBeLessThan(500);
          if (status >= 300) {
            expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(maxErrorBytes);
          }
          expect(Buffer.byteLength(log)).toBeLessThan(maxLogLineBytes + lineEnvelopeBytes);
        }
      }),
      fuzzed(1_500),
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('log nothing of a manifest but its facts', async () => {
    const secret = 'TEXT-OF-A-MANIFEST';
    await fc.assert(
      fc.asyncProperty(manifest, hostileText, fc.boolean(), async (json, text, isName) => {
        const annotations = isName ? { [secret + text]: 1 } : { a: secret + text };
        const imageManifest = JSON.stringify({ ...json, annotations, [secret + text]: text });
        const members = { repositoryName: 'team-a/app', imageManifest, imageManifestMediaType: ociManifest };
        for (const { status, log } of await sendTo('PutImage', JSON.stringify(members))) {
          expect(status).toBeLessThan(500);
          expect(log).not.toContain(secret);
        }
      }),
      fuzzed(500),
    );
  });
});
