// The dearest bodies that were ever thought of, made and not stored: what a request may cost is measured by them.

import { partSize } from '../../api/limits.ts';
import { type OperationName, operations } from '../../api/operations.ts';
import { descriptor, ociIndex, ociLayer, ociManifest } from './manifests.ts';
import type { EventRequest } from './proxy-event.ts';

/** Characters that fit into an event beside its headers. */
const eventRoom = 6_200_000;

/** Characters that an operation's body has room for beside its names: a larger one is refused by its size, unread. */
const roomOf = (operation: OperationName): number =>
  Math.min(eventRoom, operations[operation].maxBodyBytes - 200);

/** `text` as often as it fits, in an event that escapes quotes and backslashes once more. */
const fill = (text: string, characters: number): string =>
  text.repeat(Math.floor(characters / (JSON.stringify(text).length - 2)));

const listOf = (item: string, characters: number): string => `[${fill(`${item},`, characters)}${item}]`;

const counted = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => one(index)).join(',');

const repositoryName = 'team-a/app';
const member = (name: string, value: string) => `{"repositoryName":"${repositoryName}","${name}":${value}}`;

type Bodies = Readonly<Record<string, () => string>>;

/** Bodies that any operation may be sent. */
const anywhere = (room: number): Bodies => ({
  'empty objects': () => member('a', listOf('{}', room)),
  'empty lists': () => member('a', listOf('[]', room)),
  numbers: () => member('a', listOf('1', room)),
  'empty texts': () => member('a', listOf('""', room)),
  'open brackets': () => fill('[', room),
  'open objects': () => fill('{"a":', room),
  'nested lists': () => `${fill('[', room / 2)}${fill(']', room / 2)}`,
  spaces: () => fill(' ', room),
  'spaces between': () => member('a', `${fill(' ', room)}1`),
  'escaped letters': () => member('a', `"${fill('\\u0061', room)}"`),
  'escaped halves of characters': () => member('a', `"${fill('\\ud800', room)}"`),
  'escaped quotes': () => member('a', `"${fill('\\"', room)}"`),
  backslashes: () => member('a', `"${fill('\\\\', room)}"`),
  'a text that does not end': () => `{"a":"${fill('\\"', room)}`,
  'a long number': () => member('a', fill('9', room)),
  'a long exponent': () => member('a', `1e${fill('9', room)}`),
  'unknown members': () => `{${counted(room / 20, (index) => `"k${index}":1`)}}`,
  'members of one name': () => `{${fill('"a":1,', room)}"a":1}`,
  'a long name': () => `{"${fill('a', room)}":1}`,
  'letters beyond ASCII': () => member('a', `"${fill('漢', room / 3)}"`),
  'more than any operation takes': () => member('a', `"${fill('a', eventRoom)}"`),
});

/** Every member that is a text, as long as its body; those with a pattern in several ways. */
const longTexts = (room: number): Bodies =>
  Object.fromEntries(
    [
      ...['a', 'a/', 'a-', 'a.'].map((text) => ['repositoryName', text] as const),
      ...['registryId', 'uploadId', 'imageTag', 'imageDigest', 'imageManifestMediaType'].map(
        (name) => [name, '0'] as const,
      ),
    ].map(([name, text]) => [`${name} of nothing but ${text}`, () => `{"${name}":"${fill(text, room)}a"}`]),
  );

const digest = `sha256:${'0'.repeat(64)}`;

const digests = (room: number): Bodies => ({
  'empty digests': () => member('layerDigests', listOf('""', room)),
  digests: () => member('layerDigests', listOf(`"${digest}"`, room)),
  'a digest that fills it': () => member('layerDigests', `["${fill('a', room)}"]`),
  'the longest digests': () => member('layerDigests', `[${counted(100, () => `"${'a'.repeat(1_000)}"`)}]`),
});

const part = (blob: string) =>
  `{"repositoryName":"${repositoryName}","partFirstByte":0,"partLastByte":${partSize - 1},"layerPartBlob":${blob}}`;
const base64 = () => Buffer.alloc(partSize, 0xa7).toString('base64');

const parts = (room: number): Bodies => ({
  'a whole part': () => part(`"${base64()}"`),
  'a part with slashes escaped': () =>
    part(
      `"${Buffer.alloc(partSize / 4, 0xff)
        .toString('base64')
        .replaceAll('/', '\\/')}"`,
    ),
  'a part with white space': () => part(`"${fill('YQ== ', room)}"`),
  'a part of padding': () => part(`"${fill('=', room)}"`),
  'a part that is a list': () => part(listOf('1', room)),
  'a part that is an object': () => part(`{${fill('"a":1,', room)}"b":1}`),
});

const config = descriptor('{}', 'application/vnd.oci.image.config.v1+json');
const layer = descriptor('', ociLayer);

const image = (members: string) =>
  `{"schemaVersion":2,"mediaType":"${ociManifest}","config":${JSON.stringify(config)},${members}}`;
const layers = `"layers":[${JSON.stringify(layer)}]`;
const annotated = (annotations: string) => image(`${layers},"annotations":{${annotations}}`);
/** Quotes of a manifest cost an event three characters each. */
const third = eventRoom / 3;

/** Manifests, of which some are as large as one may be, and pass. */
const manifests: Bodies = {
  'layers without members': () => image(`"layers":${listOf('{}', eventRoom)}`),
  'layers of null': () => image(`"layers":${listOf('null', eventRoom)}`),
  'as many layers as may be': () => image(`"layers":[${counted(10_000, () => JSON.stringify(layer))}]`),
  'as many layers, of which all are wrong': () => image(`"layers":[${counted(10_000, () => '{"size":-1}')}]`),
  'as many manifests as may be': () =>
    `{"schemaVersion":2,"mediaType":"${ociIndex}","manifests":[${counted(10_000, (index) =>
      JSON.stringify({ ...layer, platform: { os: `${index}`, architecture: 'a' } }),
    )}]}`,
  'layers of kinds of their own': () =>
    image(
      `"layers":[${counted(1_999, (index) => JSON.stringify({ ...layer, mediaType: `a/${index}`.padEnd(255, '漢') }))}]`,
    ),
  'layers of kinds of their own, within bounds': () =>
    image(
      `"layers":[${counted(1_999, (index) => JSON.stringify({ ...layer, mediaType: `a/${index}`.padEnd(255, 'a') }))}]`,
    ),
  'digests that are long': () =>
    image(`"layers":[${counted(4_000, () => JSON.stringify({ ...layer, digest: `a:${'a'.repeat(998)}` }))}]`),
  'annotations that fill it': () => annotated(counted(390, (index) => `"${index}":"${'x'.repeat(10_000)}"`)),
  'one annotation that fills it': () => annotated(`"a":"${'x'.repeat(4_000_000)}"`),
  'as many annotations as may be, of as much text as Cedar escapes': () =>
    annotated(counted(998, (index) => `"${index}":"${'漢'.repeat(32)}${'x'.repeat(3_000)}"`)),
  'annotations by the hundred thousand': () => annotated(counted(200_000, (index) => `"${index}":""`)),
  'as many members as may be': () => annotated(counted(65_000, (index) => `"${index}":""`)),
  'an annotation of letters beyond ASCII': () => annotated(`"a":"${fill('漢', third)}"`),
  'an annotation of quotes': () => annotated(`"a":"${fill('\\"', third)}"`),
  'an annotation of escapes': () => annotated(`"a":"${fill('\\u0000', third)}"`),
  'an annotation of a long name': () => annotated(`"${'a'.repeat(700_000)}":1`),
  'a member of a long name': () => image(`${layers},"${'L'.repeat(4_000_000)}":1`),
  'members that nobody reads': () => image(`${layers},${counted(66_000, (index) => `"Layers${index}":1`)}`),
  'lists in lists': () => image(`"layers":${fill('[', third)}`),
  'a size of a million digits': () => image(`"layers":[{"size":${'9'.repeat(1_000_000)}}]`),
  spaces: () => image(`${layers}${' '.repeat(4_000_000)}`),
};

const images = Object.fromEntries(
  Object.entries(manifests).map(([name, manifest]): [string, () => string] => [
    `a manifest of ${name}`,
    () => member('imageManifest', JSON.stringify(manifest())),
  ]),
);

/** Bodies as bytes, with their headers. */
const raw: Readonly<Record<string, () => EventRequest>> = {
  'raw bytes': () => octets(partSize, `bytes 0-${partSize - 1}/*`),
  'raw bytes with a long Content-Range': () => octets(partSize, `bytes 0-${'9'.repeat(9_000)}/*`),
  'raw bytes of a long content type': () => {
    const { headers, ...request } = octets(10, 'bytes 0-9/*');
    return {
      ...request,
      headers: { ...headers, 'content-type': `application/octet-stream;${' '.repeat(9_000)}` },
    };
  },
  'a long content type': () => ({ text: '{}', headers: { 'content-type': 'a/'.repeat(5_000) } }),
};

const octets = (length: number, contentRange: string) => ({
  bytes: Buffer.alloc(length, 0xa7),
  query: { repositoryName: [repositoryName] },
  headers: { 'content-type': 'application/octet-stream', 'content-range': contentRange },
});

const imageIds: Bodies = {
  'as many images as may be': () =>
    member(
      'imageIds',
      `[${counted(100, () => `{"imageTag":"${'t'.repeat(300)}","imageDigest":"${'é'.repeat(900)}"}`)}]`,
    ),
  'images by the thousand': () => member('imageIds', `[${counted(60_000, () => '{}')}]`),
  'images of members by the thousand': () =>
    member('imageIds', `[{${counted(20_000, (index) => `"k${index}":1`)}}]`),
  'images in images': () => member('imageIds', `${'[{"imageTag":'.repeat(10_000)}`),
};

/** As much as API Gateway takes before a body: some 10,000 characters. */
const queries: Readonly<Record<string, () => EventRequest>> = {
  'a list of thousands': () => ({
    query: {
      repositoryName: [repositoryName],
      'filter.artifactTypes': Array.from({ length: 400 }, () => 'a'),
    },
  }),
  'members of a member by the hundred': () => ({
    query: Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`filter.k${index}`, ['']])),
  }),
  'a name of dots': () => ({ query: { [`filter${'.filter'.repeat(1_400)}`]: ['a'] } }),
};

const textsOf: { readonly [Name in OperationName]: (room: number) => Bodies } = {
  InitiateLayerUpload: (room) => ({ ...anywhere(room), ...longTexts(room) }),
  UploadLayerPart: (room) => ({ ...anywhere(room), ...parts(room) }),
  CompleteLayerUpload: (room) => ({ ...anywhere(room), ...digests(room) }),
  BatchCheckLayerAvailability: (room) => ({ ...anywhere(room), ...digests(room) }),
  PutImage: (room) => ({ ...anywhere(room), ...longTexts(room), ...images }),
  BatchGetImage: () => imageIds,
  // What another operation's body may be, so may theirs at the AWS API, and it is shorter; see `queries`.
  ListImages: () => ({}),
  ListImageReferrers: () => ({}),
  GetDownloadUrlForLayer: () => ({}),
};

/** Requests to an operation, each made when it is asked for. */
export const worstRequests = (operation: OperationName): [name: string, make: () => EventRequest][] => [
  ...Object.entries(textsOf[operation](roomOf(operation))).map(
    ([name, make]): [string, () => EventRequest] => [name, () => ({ text: make() })],
  ),
  ...(operation === 'UploadLayerPart' ? Object.entries(raw) : []),
  ...(operations[operation].method === 'GET' ? Object.entries(queries) : []),
];
