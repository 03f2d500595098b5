// What no service of AWS's answers, and what stands before one may: answers that lack, contradict or hide what they say.

import { gzipSync } from 'node:zlib';
import { digestOf } from '../interleavings/content.ts';
import { type Answer, errorAnswer, jsonAnswer, type Service } from './answers.ts';
import type { Act } from './cloud.ts';

const otherDigest = digestOf(Buffer.from('of another'));

/** To each operation the answer to another question. */
const ofOthers: Readonly<Record<string, object>> = {
  InitiateLayerUpload: { uploadId: '../another', partSize: 10 },
  UploadLayerPart: { lastByteReceived: 1_000_000 },
  CompleteLayerUpload: { layerDigest: otherDigest },
  BatchCheckLayerAvailability: {
    layers: [{ layerDigest: otherDigest, layerAvailability: 'AVAILABLE', layerSize: 1 }],
    failures: [],
  },
  PutImage: { image: { imageId: { imageDigest: otherDigest } } },
  BatchGetImage: {
    images: [{ imageId: { imageDigest: otherDigest }, imageManifest: '{}' }],
    failures: [],
  },
  GetDownloadUrlForLayer: { layerDigest: otherDigest, downloadUrl: 'https://layers.example.com/another' },
};

export const hasAnswerOfOthers = (operation: string): boolean => Object.hasOwn(ofOthers, operation);

export const answerOfOthers: Act = ({ call, work, give }) => {
  work();
  give(jsonAnswer(ofOthers[call.operation]));
};

export const nothingIn = (service: Service): Answer =>
  service === 's3' ? { status: 200, body: '' } : { ...jsonAnswer({}), body: '' };

export const redirection: Answer = {
  status: 307,
  headers: { location: 'https://elsewhere.example.com/' },
  body: '',
};

/** A position that no number is, which JSON has all the same. */
export const refusalAtNoPosition: Answer = errorAnswer('ecr', 400, 'InvalidLayerPartException', {
  lastValidByteReceived: 2 ** 53,
});

/** Many times what a client can use, and for a terminal. */
export const longRefusal: Answer = errorAnswer('ecr', 400, 'InvalidParameterException', {
  message: '\u001b[31m\u0007'.repeat(20_000),
});

/** Of RFC 9110, 15.2: any number of them may come before an answer. */
export const afterInformation: Act = ({ wire, work, give }) => {
  for (let n = 0; n < 100; n++) {
    wire.writeProcessing();
  }
  give(work());
};

export const inGzip: Act = ({ work, give }) => {
  const { status, headers, body } = work();
  give({ status, headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(body) });
};

export const withTrailer: Act = ({ wire, date, work }) => {
  const { status, headers, body } = work();
  wire.writeHead(status, { ...headers, date, trailer: 'x-amz-of-later' });
  wire.write(body);
  wire.addTrailers({ 'x-amz-of-later': 'too late' });
  wire.end();
};

export const ofTwoLengths: Act = ({ wire }) => {
  wire.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}');
};

const dripMs = 10;

/** It comes, and never to an end. */
export const drip: Act = ({ wire, date, work }) => {
  const { status, headers } = work();
  wire.writeHead(status, { ...headers, date, 'content-length': 1_000_000 });
  const drops = setInterval(() => wire.write(' '), dripMs);
  wire.on('close', () => clearInterval(drops));
};

/** The object is said to be there whole. */
export const halfObject: Act = ({ work, give }) => {
  const { headers, body } = work();
  give({ status: 206, ...(headers && { headers }), body: Buffer.from(body).subarray(0, 2) });
};

export const unchanged: Answer = { status: 304, body: '' };

/** Every write that is conditional on it fails. */
export const otherVersion: Act = ({ work, give }) => {
  const answer = work();
  give({ ...answer, headers: { ...answer.headers, etag: '"another"' } });
};

/** An attribute of a count, as text that is no number. */
export const strangeItem: Act = ({ give }) => {
  const N = 'many';
  give(jsonAnswer({ Item: { countedFrom: { N }, countedTo: { N }, amount: { N } } }));
};

export const cancelledFor = (...codes: readonly string[]): Answer =>
  errorAnswer('dynamodb', 400, 'TransactionCanceledException', {
    ...(codes.length > 0 && { CancellationReasons: codes.map((Code) => ({ Code })) }),
  });

/** What a secret may be that somebody has put there in place of the proxy's. */
export const secrets = {
  binary: jsonAnswer({ SecretBinary: Buffer.from('{}').toString('base64') }),
  empty: jsonAnswer({ SecretString: '' }),
  another: jsonAnswer({ SecretString: '{"username":"admin","password":"x"}' }),
} as const satisfies Record<string, Answer>;

/** One key of a megabyte. */
export const largeKeys: Answer = jsonAnswer({
  keys: [{ kty: 'RSA', kid: 'key-1', n: 'A'.repeat(1_000_000), e: 'AQAB' }],
});
