// What clients are told when ECR, S3, DynamoDB or Secrets Manager answer as load balancers, S3 and KMS do, or not at all.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, errors } from '../../api/errors.ts';
import { partSize as P } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import { isSentAgain } from '../../api/send-again.ts';
import { problemOf } from '../../client/refusals.ts';
import { type HostileAnswer, type HostileService, startHostileService } from '../support/hostile-service.ts';
import { type InProcess, type StandIn, startInProcess } from '../support/in-process.ts';
import { manifestOf } from '../support/manifests.ts';
import { policiesBeside } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type Answer, type ResourceApi, resourceApi, tokens } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

let proxy: InProcess;
const services = new Map<StandIn, HostileService>();

beforeAll(async () => {
  proxy = await startInProcess({
    quotaTable: 'quotas',
    policyDirectory: policiesBeside({
      'quotas.yaml': '- { name: b-a-day, client: team-b-ci, bytesPerDay: 1000000000 }',
      'b-too.cedar': '@id("b-too") permit (principal == Client::"team-b-ci", action, resource);',
    }),
    between: async (standIn, url) => {
      const service = await startHostileService(url);
      services.set(standIn, service);
      return service.url;
    },
  });
});
afterAll(async () => {
  await proxy.close();
  for (const service of services.values()) {
    await service.close();
  }
});
afterEach(() => {
  for (const service of services.values()) {
    service.disarm();
  }
});

const html = (status: number, words: string): HostileAnswer => ({
  status,
  body: `<html><head><title>${status} ${words}</title></head><body><center>nginx</center></body></html>`,
  headers: { 'content-type': 'text/html' },
});
const json = (status: number, body: object | null): HostileAnswer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/x-amz-json-1.1' },
});
const xml = (status: number, code: string): HostileAnswer => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`,
  headers: { 'content-type': 'application/xml' },
});

/** How a service answers, and which row of the error table that is. */
type Row = readonly [name: string, answer: HostileAnswer, code: ErrorCode];

const anyService: readonly Row[] = [
  ['500 in HTML', html(500, 'Internal Server Error'), 'ServerException'],
  ['502 in HTML', html(502, 'Bad Gateway'), 'ServerException'],
  ['503 in HTML', html(503, 'Service Unavailable'), 'ServiceUnavailableException'],
  ['504 in HTML', html(504, 'Gateway Time-out'), 'GatewayTimeoutException'],
  ['503 without a body', { status: 503 }, 'ServiceUnavailableException'],
  ['429 without a body', { status: 429 }, 'ThrottlingException'],
  ['408 without a body', { status: 408 }, 'ServiceUnavailableException'],
  ['403 in HTML', html(403, 'Forbidden'), 'UpstreamRefusedException'],
  ['413 in HTML', html(413, 'Request Entity Too Large'), 'UpstreamRefusedException'],
  ['301 to elsewhere', { status: 301, headers: { location: '/x' } }, 'UpstreamRefusedException'],
  ['nothing', 'silence', 'ServiceUnavailableException'],
  ['what is no HTTP', 'noise', 'ServiceUnavailableException'],
];

const jsonService: readonly Row[] = [
  ...anyService,
  ['500 with {}', json(500, {}), 'ServerException'],
  ['500 with null', json(500, null), 'ServerException'],
  ['400 with {}', json(400, {}), 'UpstreamRefusedException'],
  ['an unknown __type', json(400, { __type: 'NewException', message: 'm' }), 'UpstreamRefusedException'],
  ['an unknown __type of 5xx', json(500, { __type: 'a.b#NewFault' }), 'ServerException'],
  ['a refused role', json(400, { __type: 'AccessDeniedException' }), 'UpstreamRefusedException'],
  ['a clock', json(400, { __type: 'InvalidSignatureException' }), 'ServerException'],
  ['a throttling', json(400, { __type: 'ThrottlingException' }), 'ThrottlingException'],
];

const ecrRows: readonly Row[] = [
  ...jsonService,
  ['200 in HTML', html(200, 'Sign in'), 'ServerException'],
  ['half an answer', 'cut', 'ServiceUnavailableException'],
];

const s3Rows: readonly Row[] = [
  ...anyService,
  ['SlowDown', xml(503, 'SlowDown'), 'ThrottlingException'],
  ['InternalError', xml(500, 'InternalError'), 'ServerException'],
  ['AccessDenied', xml(403, 'AccessDenied'), 'UpstreamRefusedException'],
  ['RequestTimeout', xml(400, 'RequestTimeout'), 'ServiceUnavailableException'],
  ['OperationAborted', xml(409, 'OperationAborted'), 'ServiceUnavailableException'],
  ['NotImplemented', xml(501, 'NotImplemented'), 'ServerException'],
  ['KMS.DisabledException', xml(400, 'KMS.DisabledException'), 'UpstreamRefusedException'],
  ['KMS.NotFoundException', xml(400, 'KMS.NotFoundException'), 'UpstreamRefusedException'],
  ['KMS.KMSInvalidStateException', xml(400, 'KMS.KMSInvalidStateException'), 'UpstreamRefusedException'],
  ['KMS.KMSInternalException', xml(500, 'KMS.KMSInternalException'), 'ServerException'],
  ['KMS.ThrottlingException', xml(400, 'KMS.ThrottlingException'), 'ThrottlingException'],
];

const headRows: readonly Row[] = [
  ...anyService,
  ['500', { status: 500 }, 'ServerException'],
  ['403', { status: 403 }, 'UpstreamRefusedException'],
  ['400', { status: 400 }, 'UpstreamRefusedException'],
];

const dynamoDbRows: readonly Row[] = [
  ...jsonService,
  ['no table', json(400, { __type: 'x#ResourceNotFoundException' }), 'UpstreamRefusedException'],
  [
    'no capacity',
    json(400, { __type: 'x#ProvisionedThroughputExceededException' }),
    'ServiceUnavailableException',
  ],
];

/** Whatever keeps the secret from being read keeps everybody out until it can be. */
const secretRows = jsonService.map(([name, answer]): Row => [name, answer, 'ServiceUnavailableException']);

type Place = {
  standIn: StandIn;
  operation: string;
  rows: readonly Row[];
  /** Asks for something that makes the proxy ask the service. */
  ask: (client: ResourceApi, uploadId: string) => Promise<Answer>;
  token?: string;
  isFirst?: boolean;
};

const layer = randomBytes(P);
const digest = digestOf(layer);
const stagePart = (client: ResourceApi, uploadId: string) => client.uploadPart(uploadId, 0, layer);
const sendPart = (client: ResourceApi, uploadId: string) =>
  client.uploadPart(uploadId, 0, layer.subarray(0, 9));

const places: readonly Place[] = [
  { standIn: 'ecr', operation: 'InitiateLayerUpload', rows: ecrRows, ask: (client) => client.initiate() },
  { standIn: 'ecr', operation: 'UploadLayerPart', rows: ecrRows, ask: sendPart },
  {
    standIn: 'ecr',
    operation: 'CompleteLayerUpload',
    rows: ecrRows,
    ask: (client, id) => client.complete(id, digest),
  },
  {
    standIn: 'ecr',
    operation: 'BatchCheckLayerAvailability',
    rows: ecrRows,
    ask: (client) => client.available(digest),
  },
  {
    standIn: 'ecr',
    operation: 'PutImage',
    rows: ecrRows,
    ask: (client) => client.putImage({ imageManifest: manifestOf(layer, [layer]) }),
  },
  { standIn: 's3', operation: 'HEAD', rows: headRows, ask: stagePart },
  { standIn: 's3', operation: 'PUT', rows: s3Rows, ask: stagePart },
  { standIn: 's3', operation: 'GET', rows: s3Rows, ask: (client, id) => client.complete(id, digest) },
  { standIn: 'dynamoDb', operation: 'GetItem', rows: dynamoDbRows, ask: sendPart, token: tokens.b },
  {
    standIn: 'dynamoDb',
    operation: 'TransactWriteItems',
    rows: dynamoDbRows,
    ask: sendPart,
    token: tokens.b,
  },
  {
    standIn: 'secretsManager',
    operation: 'GetSecretValue',
    rows: secretRows,
    ask: (client) => client.initiate(),
    isFirst: true,
  },
];

/** ECR Public's client differs by its service model alone. */
const registriesOf = (operation: string): readonly Registry[] =>
  operation === 'PutImage' ? ['ecr', 'ecr-public'] : ['ecr'];

const cases = places.flatMap((place) =>
  registriesOf(place.operation).flatMap((registry) =>
    place.rows.map(([name, answer, code]) => ({ ...place, registry, name, answer, code })),
  ),
);

describe('an answer of AWS’s that is none of its own', () => {
  it.each(cases)(
    '$standIn $operation of $registry: $name is $code',
    async ({ standIn, operation, registry, answer, code, ask, token, isFirst }) => {
      const api = (send = proxy.send) => resourceApi(send, token, 'team-a/app', registry);
      const uploadId = await api().begin();
      const service = services.get(standIn);
      service?.arm(operation, answer);
      const { status, headers, body } = await ask(api(isFirst ? proxy.sendToAnother() : undefined), uploadId);
      expect({ status, code: body.code }).toEqual({ status: errors[code].status, code });
      // One call is one request, and two where no answer began: nothing multiplies.
      expect(service?.requests()).toBe(answer === 'silence' ? 2 : 1);
      const { retryable } = problemOf(status, headers, JSON.stringify(body));
      expect(retryable).toBe(isSentAgain(errors[code].sendAgain));
      expect(JSON.stringify(body)).not.toMatch(/nginx|html|Deserialization/i);
    },
  );
});

describe('many failures', () => {
  it('leave a function able to send once more what broke: there is no budget that runs dry', async () => {
    const client = resourceApi(proxy.send);
    const service = services.get('ecr');
    for (let n = 0; n < 30; n++) {
      service?.arm('InitiateLayerUpload', 'silence');
      expect((await client.initiate()).status).toBe(503);
      expect(service?.requests()).toBe(2);
    }
  });
});
