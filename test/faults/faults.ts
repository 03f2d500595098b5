// The faults, one table: what befalls a call, and what a client may be told of it at each service.

import type { ErrorCode } from '../../api/errors.ts';
import type { Registry } from '../../api/registries.ts';
import { type Answer, type Call, errorAnswer, html, jsonAnswer, type Service } from './answers.ts';
import { type Act, type Struck, skewed } from './cloud.ts';
import {
  afterInformation,
  answerOfOthers,
  cancelledFor,
  drip,
  halfObject,
  hasAnswerOfOthers,
  inGzip,
  largeKeys,
  longRefusal,
  nothingIn,
  ofTwoLengths,
  otherVersion,
  redirection,
  refusalAtNoPosition,
  secrets,
  strangeItem,
  unchanged,
  withTrailer,
} from './hostile-answers.ts';

/** In what state an instance is when the fault comes: it has read nothing yet, or all that it keeps. */
export type Instance = 'cold' | 'warm';

export type Fault = {
  readonly name: string;
  /** The rows of the error table that the client may get; none where it must not notice. */
  readonly codes: { readonly [Of in Service]?: readonly ErrorCode[] };
  /** The one whose API has it; by default both. */
  readonly registry?: Registry;
  /** Which calls it can befall; by default each. */
  readonly strikes?: (call: Call) => boolean;
  /** Whether it is tried at one call alone, too, and not as long as the request lasts. */
  readonly passes?: true;
  readonly act: Act;
  /** Nobody gets an answer, so that the request ends with its time. */
  readonly isSilent?: true;
  /** No service answers so by itself: what reads answers tells it apart, the SDK or the code behind it. */
  readonly isHostile?: true;
  /** The instance dies of it. */
  readonly isDeath?: true;
  /** An instance that has met it goes on in another way than one that has not. */
  readonly isRemembered?: true;
  /** What was acknowledged is gone, or another's: the client has to send it again. */
  readonly loses?: true;
};

const amongAll =
  (answer: (service: Service) => Answer): Act =>
  ({ call, give }) =>
    give(answer(call.service));

/** The name and the status of the same failure at each service. */
const named = (names: Readonly<Record<Service, readonly [status: number, name: string]>>): Act =>
  amongAll((service) => errorAnswer(service, ...names[service]));

const afterWork =
  (act: Act): Act =>
  (struck) => {
    struck.work();
    return act(struck);
  };

const internalFailure = named({
  ecr: [500, 'ServerException'],
  s3: [500, 'InternalError'],
  dynamodb: [500, 'InternalServerError'],
  secretsmanager: [500, 'InternalServiceError'],
  issuer: [500, 'Internal Server Error'],
});

const everywhere = (...codes: readonly ErrorCode[]) =>
  ({
    ecr: codes,
    s3: codes,
    dynamodb: codes,
    // Without the secret or the keys nobody can be let in, whatever the reason is.
    secretsmanager: ['ServiceUnavailableException'],
    issuer: ['ServiceUnavailableException'],
  }) as const satisfies Fault['codes'];

/** What only the operator, or the issuer, can mend. */
const brokenKeySet = { issuer: ['InternalFailure'] } as const satisfies Fault['codes'];

const drop: Act = (struck) => struck.drop();
const silence: Act = () => {};
const die: Act = (struck) => struck.kill();

const writes: ReadonlySet<string> = new Set([
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'PutImage',
  'PUT',
  'TransactWriteItems',
]);
/** After a read that was answered nobody, nothing is different from before. */
const isWrite = ({ operation }: Call) => writes.has(operation);

const hasBody = ({ operation }: Call) => operation !== 'HEAD';
const readsSlot = ({ operation }: Call) => operation === 'GET' || operation === 'HEAD';
const isPut = ({ operation }: Call) => operation === 'PUT';
const of =
  (...operations: readonly string[]) =>
  ({ operation }: Call) =>
    operations.includes(operation);

/** What a client may be told where what waited, or what was noted of a completion, cannot be found. */
const lostSlot = [
  'InvalidLayerPartException',
  'EmptyUploadException',
  'InvalidLayerException',
  'LayerAlreadyExistsException',
] as const;

const slowMs = 20;

/** Another invocation writes to the slot: what it holds stays, or is another's. */
const overwrite =
  (bytesOf: (bytes: Uint8Array) => Uint8Array): Act =>
  ({ state, key, work, give }) => {
    const slot = state.staging.objects.get(key);
    if (slot) {
      state.staging.objects.set(key, { ...slot, bytes: bytesOf(slot.bytes), etag: `"${slot.etag.length}"` });
    }
    give(work());
  };

/** The slot as it was before its last write, and nothing where that was its first. */
function readStale({ state, key, work, give }: Struck): void {
  const { objects, earlier } = state.staging;
  const now = objects.get(key);
  const before = earlier.get(key);
  if (before) {
    objects.set(key, before);
  } else {
    objects.delete(key);
  }
  const answer = work();
  if (now) {
    objects.set(key, now);
  }
  give(answer);
}

const giving =
  (answer: Answer): Act =>
  ({ give }) =>
    give(answer);

const ofEcr = ['ServerException'] as const;

const hostileFaults: readonly Fault[] = [
  {
    name: 'answers 200 with nothing',
    // Of DynamoDB an empty answer is one: there is no such item, or all is written.
    codes: { ecr: ofEcr, s3: ofEcr, secretsmanager: ['ServiceUnavailableException'], ...brokenKeySet },
    strikes: (call) => !(call.service === 's3' && call.operation === 'HEAD'),
    act: amongAll(nothingIn),
  },
  {
    name: 'answers {}',
    codes: { ecr: ofEcr },
    act: afterWork(giving(jsonAnswer({}))),
  },
  {
    name: 'answers for another',
    codes: { ecr: ofEcr },
    strikes: ({ operation }) => hasAnswerOfOthers(operation),
    act: answerOfOthers,
  },
  {
    name: 'refuses a part at a position that is none',
    codes: { ecr: ofEcr },
    strikes: of('UploadLayerPart'),
    act: giving(refusalAtNoPosition),
  },
  {
    name: 'refuses in a hundred thousand characters',
    codes: { ecr: ['InvalidParameterException'] },
    act: giving(longRefusal),
  },
  {
    name: 'redirects (307)',
    codes: { ...everywhere('UpstreamRefusedException'), ...brokenKeySet },
    act: giving(redirection),
  },
  {
    name: 'sends a hundred informational answers first',
    codes: everywhere(),
    act: afterInformation,
  },
  { name: 'answers in chunks, with a trailer', codes: everywhere(), strikes: hasBody, act: withTrailer },
  {
    name: 'answers in gzip',
    // A refusal that cannot be read is one by its status alone.
    codes: {
      ecr: [...ofEcr, 'UpstreamRefusedException'],
      dynamodb: ofEcr,
      secretsmanager: ['ServiceUnavailableException'],
      issuer: [],
    },
    act: inGzip,
  },
  {
    name: 'says two lengths of its answer',
    codes: everywhere('ServiceUnavailableException'),
    act: ofTwoLengths,
  },
  {
    name: 'answers without an end',
    codes: everywhere('GatewayTimeoutException', 'ServiceUnavailableException'),
    strikes: (call) => hasBody(call) && !(call.service === 's3' && isPut(call)),
    isSilent: true,
    act: drip,
  },
  {
    name: 'answers 206 with a part of the object',
    codes: { s3: ofEcr },
    strikes: of('GET'),
    act: halfObject,
  },
  {
    name: 'answers 304',
    codes: { s3: ['UpstreamRefusedException'] },
    strikes: readsSlot,
    act: giving(unchanged),
  },
  {
    name: 'names another version of the object',
    codes: { s3: ['ServiceUnavailableException'] },
    strikes: readsSlot,
    passes: true,
    act: otherVersion,
  },
  {
    name: 'has an item that is none',
    codes: { dynamodb: ofEcr },
    strikes: of('GetItem'),
    act: strangeItem,
  },
  {
    name: 'has no capacity',
    codes: { dynamodb: ['ServiceUnavailableException'] },
    act: giving(errorAnswer('dynamodb', 400, 'ProvisionedThroughputExceededException')),
  },
  {
    name: 'cancels for reasons of several kinds',
    codes: { dynamodb: ['ServiceUnavailableException'] },
    strikes: of('TransactWriteItems'),
    passes: true,
    act: giving(cancelledFor('ThrottlingError', 'ConditionalCheckFailed')),
  },
  {
    name: 'cancels for a reason that is its own, or none',
    codes: { dynamodb: ['UpstreamRefusedException'] },
    strikes: of('TransactWriteItems'),
    act: giving(cancelledFor()),
  },
  ...Object.entries(secrets).map(
    ([which, answer]): Fault => ({
      name: `has a secret that is ${which}`,
      codes: { secretsmanager: ['ServiceUnavailableException'] },
      act: giving(answer),
    }),
  ),
  { name: 'has a key of a megabyte', codes: brokenKeySet, act: giving(largeKeys) },
];

export const faults: readonly Fault[] = [
  {
    name: 'throttles',
    // S3's answer to HEAD has no body, and a status that says less than SlowDown.
    codes: {
      ...everywhere('ThrottlingException'),
      s3: ['ThrottlingException', 'ServiceUnavailableException'],
    },
    passes: true,
    act: named({
      ecr: [400, 'ThrottlingException'],
      s3: [503, 'SlowDown'],
      dynamodb: [400, 'ThrottlingException'],
      secretsmanager: [400, 'ThrottlingException'],
      issuer: [429, 'Too Many Requests'],
    }),
  },
  { name: 'fails (500)', codes: everywhere('ServerException'), act: internalFailure },
  {
    name: 'does the work and says 500',
    strikes: isWrite,
    codes: everywhere('ServerException'),
    act: afterWork(internalFailure),
  },
  {
    name: 'answers 503 in HTML',
    codes: everywhere('ServiceUnavailableException'),
    act: amongAll(() => html(503)),
  },
  {
    name: 'drops the connection before the work',
    codes: everywhere('ServiceUnavailableException'),
    passes: true,
    act: drop,
  },
  {
    name: 'drops it after the work',
    codes: everywhere('ServiceUnavailableException'),
    strikes: isWrite,
    passes: true,
    act: afterWork(drop),
  },
  {
    name: 'does not answer',
    codes: everywhere('GatewayTimeoutException'),
    isSilent: true,
    act: silence,
  },
  {
    name: 'does the work and does not answer',
    codes: everywhere('GatewayTimeoutException'),
    strikes: isWrite,
    isSilent: true,
    act: afterWork(silence),
  },
  {
    name: 'is slow',
    codes: everywhere(),
    act: async ({ give, work }) => {
      await new Promise((resolve) => setTimeout(resolve, slowMs));
      give(work());
    },
  },
  {
    name: 'sends half an answer',
    codes: everywhere('ServiceUnavailableException'),
    strikes: (call) => hasBody(call) && !(call.service === 's3' && isPut(call)),
    act: ({ cut, work }) => cut(work()),
  },
  {
    name: 'answers malformed JSON',
    codes: { ...everywhere('ServerException'), ...brokenKeySet },
    strikes: ({ service }) => service !== 's3',
    act: afterWork(({ give }) => give({ ...jsonAnswer({}), body: '{"uploadId": ' })),
  },
  {
    name: 'answers 200 in HTML',
    codes: { ...everywhere('ServerException'), ...brokenKeySet },
    act: afterWork(({ give }) => give(html(200))),
  },
  {
    name: 'refuses the proxy',
    codes: { ...everywhere('UpstreamRefusedException'), ...brokenKeySet },
    act: named({
      ecr: [400, 'AccessDeniedException'],
      s3: [403, 'AccessDenied'],
      dynamodb: [400, 'AccessDeniedException'],
      secretsmanager: [400, 'AccessDeniedException'],
      issuer: [404, 'Not Found'],
    }),
  },
  {
    name: 'finds the clock wrong',
    // As above: without a body it is a refusal like others, unless the clock is wrong indeed.
    codes: { ...everywhere('ServerException'), s3: ['ServerException', 'UpstreamRefusedException'] },
    strikes: ({ service }) => service !== 'issuer',
    isRemembered: true,
    act: amongAll(skewed),
  },
  {
    name: 'cannot use its key (KMS)',
    registry: 'ecr',
    codes: { ecr: ['KmsException'], s3: ['UpstreamRefusedException'] },
    strikes: (call) =>
      call.service === 's3' ||
      of('InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage')(call),
    act: ({ call, give }) =>
      give(
        call.service === 's3'
          ? errorAnswer('s3', 400, 'KMS.DisabledException')
          : errorAnswer('ecr', 400, 'KmsException', { kmsError: 'DisabledException' }),
      ),
  },
  {
    name: 'knows no such registry',
    registry: 'ecr-public',
    codes: { ecr: ['RegistryNotFoundException'] },
    act: ({ give }) => give(errorAnswer('ecr', 400, 'RegistryNotFoundException')),
  },
  {
    name: 'does not offer this',
    registry: 'ecr-public',
    codes: { ecr: ['UnsupportedCommandException'] },
    act: ({ give }) => give(errorAnswer('ecr', 400, 'UnsupportedCommandException')),
  },
  {
    name: 'has reached a limit',
    codes: { ecr: ['LimitExceededException'] },
    strikes: of('UploadLayerPart', 'PutImage', 'BatchGetImage'),
    act: ({ give }) => give(errorAnswer('ecr', 400, 'LimitExceededException')),
  },
  {
    name: 'has forgotten the upload',
    codes: { ecr: ['UploadNotFoundException'] },
    strikes: of('UploadLayerPart', 'CompleteLayerUpload'),
    loses: true,
    act: ({ state, work, give }) => {
      state.ecr.uploads.clear();
      give(work());
    },
  },
  {
    name: 'is busy with another write (409)',
    codes: { s3: ['ServiceUnavailableException'] },
    strikes: isPut,
    passes: true,
    act: ({ give }) => give(errorAnswer('s3', 409, 'ConditionalRequestConflict')),
  },
  {
    name: 'has lost the object',
    codes: { s3: [...lostSlot] },
    loses: true,
    act: ({ state, key, work, give }) => {
      state.staging.objects.delete(key);
      give(work());
    },
  },
  {
    name: 'has the object before its last write',
    codes: { s3: [...lostSlot, 'ServiceUnavailableException'] },
    strikes: readsSlot,
    act: readStale,
  },
  {
    name: 'has the object, written once more',
    codes: { s3: ['ServiceUnavailableException'] },
    passes: true,
    act: overwrite((bytes) => bytes),
  },
  {
    name: 'has the object with other bytes',
    codes: { s3: ['InvalidLayerException', 'ServiceUnavailableException'] },
    loses: true,
    act: overwrite((bytes) => bytes.map((byte) => byte ^ 0x80)),
  },
  {
    name: 'has a conflict of transactions',
    codes: { dynamodb: ['ServiceUnavailableException'] },
    strikes: of('TransactWriteItems'),
    passes: true,
    act: ({ give }) =>
      give(
        errorAnswer('dynamodb', 400, 'TransactionCanceledException', {
          CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
        }),
      ),
  },
  ...hostileFaults.map((fault): Fault => ({ ...fault, isHostile: true })),
  { name: 'dies before the work', codes: everywhere(), isDeath: true, act: die },
  { name: 'dies after the work', codes: everywhere(), strikes: isWrite, isDeath: true, act: afterWork(die) },
];
