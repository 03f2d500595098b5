import * as ecr from '@aws-sdk/client-ecr';
import * as ecrPublic from '@aws-sdk/client-ecr-public';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, type ErrorRow, errorCodes, errors } from '../../api/errors.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { isSentAgain } from '../../api/send-again.ts';
import { upstreamFailures } from '../../api/upstream-failures.ts';
import { problemOf } from '../../client/refusals.ts';
import { awsApi } from '../../lambda/gateway/aws-api.ts';
import { resourceApi } from '../../lambda/gateway/resource-api.ts';
import { proxyErrorOf } from '../../lambda/proxy-error.ts';
import { upstreamCodeOf } from '../../lambda/sdk-failures.ts';

const putImageApi = resourceApi('PutImage');

const rows: [string, ErrorRow][] = Object.entries(errors);

const named = (name: string, more: object = {}) =>
  Object.assign(new Error(`${name} says`), { name, ...more });

/** The exceptions of the operations the proxy forwards, as the service models of the SDKs name them. */
const modelled = [
  ...[
    'EmptyUpload',
    'ImageAlreadyExists',
    'ImageDigestDoesNotMatch',
    'ImageTagAlreadyExists',
    'InvalidLayer',
  ],
  ...[
    'InvalidLayerPart',
    'InvalidParameter',
    'Kms',
    'LayerAlreadyExists',
    'LayerPartTooSmall',
    'LayersNotFound',
  ],
  ...['LimitExceeded', 'ReferencedImagesNotFound', 'RepositoryNotFound', 'Server', 'UploadNotFound'],
].map((name) => `${name}Exception`);

describe('the error table', () => {
  it.each(modelled)('has a row of its own for ECR’s %s', (name) => {
    expect(Object.keys(ecr)).toContain(name);
    expect(upstreamCodeOf(named(name))).toBe(name);
  });

  it.each(['RegistryNotFoundException', 'UnsupportedCommandException'])(
    'has a row of its own for ECR Public’s %s',
    (name) => {
      expect(Object.keys(ecrPublic)).toContain(name);
      expect(upstreamCodeOf(named(name))).toBe(name);
    },
  );

  it('takes each failure’s name in one row only', () => {
    const names = Object.values(upstreamFailures).flat();
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it.each(errorCodes)('answers %s as a problem document with its status', (code) => {
    const response = putImageApi.writeError(new ProxyError(code), 'request-1');
    expect(response.statusCode).toBe(errors[code].status);
    expect(response.headers).toMatchObject({ 'Content-Type': 'application/problem+json' });
    expect(JSON.parse(response.body)).toMatchObject({
      status: errors[code].status,
      code,
      requestId: 'request-1',
    });
  });

  it.each(Object.entries(upstreamFailures).flatMap(([code, names]) => names.map((name) => [name, code])))(
    'turns %s into %s',
    (name, code) => expect(proxyErrorOf(named(name)).code).toBe(code),
  );

  it.each(errorCodes)('has one word on sending %s again, for Retry-After and for the client', (code) => {
    const { sendAgain }: ErrorRow = errors[code];
    const { statusCode, headers, body } = putImageApi.writeError(new ProxyError(code), 'request-1');
    const retryAfter = headers?.['Retry-After'];
    expect(retryAfter === undefined).toBe(sendAgain === 'never');
    const answered = new Headers(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) });
    expect(problemOf(statusCode, answered, body)).toMatchObject({
      code,
      retryable: isSentAgain(sendAgain),
      retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
    });
  });

  it.each(rows.filter(([, { status }]) => [502, 503, 504].includes(status)))(
    'says with %s how soon it may be sent again, unless an operator has to act first',
    (code, { sendAgain }) =>
      expect(isSentAgain(sendAgain)).toBe(!/^(Kms|UpstreamRefused|UnableTo\w+)Exception$/.test(code)),
  );

  it.each(errorCodes)('answers %s with a challenge if it is a 401, and without one if not', (code) => {
    const { statusCode, headers } = putImageApi.writeError(new ProxyError(code), 'request-1');
    const challenge = statusCode === 401 ? 'Bearer realm="ecr-upload-proxy"' : undefined;
    expect(headers?.['WWW-Authenticate']).toBe(challenge);
  });

  it('finds failures of the network by Node’s code', () => {
    expect(upstreamCodeOf(named('Error', { code: 'ECONNREFUSED' }))).toBe('ServiceUnavailableException');
  });

  it('takes a 403 without a body for a refusal, and for one that passes where a wrong clock had signed', () => {
    const refused = (more: object) => named('Unknown', { $metadata: { httpStatusCode: 403, ...more } });
    expect(upstreamCodeOf(refused({}))).toBe('UpstreamRefusedException');
    expect(upstreamCodeOf(refused({ clockSkewCorrected: true }))).toBe('ServerException');
  });
});

describe('a problem document', () => {
  it('says of a bug nothing but the request id', () => {
    const { statusCode, body } = putImageApi.writeError(
      proxyErrorOf(new TypeError('secret detail')),
      'request-1',
    );
    expect(statusCode).toBe(500);
    expect(JSON.parse(body)).toEqual({
      type: 'urn:ecr-upload-proxy:error:InternalFailure',
      title: 'A fault in the proxy',
      status: 500,
      detail: 'A fault in the proxy',
      code: 'InternalFailure',
      requestId: 'request-1',
    });
  });

  it.each([
    'ServerException',
    'KmsException',
    'AccessDeniedException',
    'ThrottlingException',
    'NoSuchBucket',
  ])('keeps the message of %s from the client', (name) => {
    const failure = named(name, { $metadata: { httpStatusCode: 400 } });
    expect(putImageApi.writeError(proxyErrorOf(failure), 'request-1').body).not.toContain(failure.message);
  });

  it('gives ECR’s message for one line of a terminal, whatever it is', () => {
    const failure = named('InvalidParameterException', {
      message: `a\u001b[31m\r\nb${'c'.repeat(10_000_000)}`,
    });
    const { message } = proxyErrorOf(failure);
    expect(message.slice(0, 12)).toBe('a [31m bcccc');
    expect(message.length).toBeLessThan(1_010);
  });

  it('carries ECR’s kmsError', () => {
    const failure = named('KmsException', { kmsError: 'DISABLED' });
    expect(JSON.parse(putImageApi.writeError(proxyErrorOf(failure), 'r').body)).toMatchObject({
      kmsError: 'DISABLED',
    });
  });
});

describe('an error of the AWS API', () => {
  const answer = (code: ErrorCode) => {
    const { statusCode, headers, body } = awsApi(['ecr']).writeError(new ProxyError(code), 'request-1');
    expect(headers).toEqual({ 'Content-Type': 'application/x-amz-json-1.1', 'Cache-Control': 'no-store' });
    return { status: statusCode, ...JSON.parse(body) };
  };

  it.each<[ErrorCode, number, string]>([
    ['ServerException', 500, 'ServerException'],
    ['InternalFailure', 500, 'InternalFailure'],
    ['ServiceUnavailableException', 503, 'ServiceUnavailableException'],
    ['GatewayTimeoutException', 504, 'GatewayTimeoutException'],
    ['RequestEntityTooLargeException', 400, 'InvalidLayerPartException'],
    ['UnsupportedMediaTypeException', 400, 'SerializationException'],
  ])('writes %s as %i %s', (code, status, type) => {
    expect(answer(code)).toMatchObject({ status, __type: type, message: expect.any(String) });
  });

  it.each(errorCodes.filter((code) => !('aws' in errors[code])))(
    'writes %s as 400 under its own name',
    (code) => {
      expect(answer(code)).toMatchObject({ status: 400, __type: code, message: expect.any(String) });
    },
  );

  const api = awsApi(['ecr']);
  const saysOf = (error: ProxyError): string => JSON.parse(api.writeError(error, '').body).message;

  it.each(errorCodes)('speaks of no header that a client of the AWS API sends or gets: %s', (code) => {
    for (const error of [new ProxyError(code), new ProxyError(code, 'A reason of its own.')]) {
      expect(saysOf(error)).not.toMatch(/Retry-After|Authorization|Bearer|Basic|Content-Range/);
    }
  });

  it.each(['UnrecognizedClientException', 'ExpiredTokenException'] as const)(
    'names the session token with %s, whatever else it says',
    (code) => {
      expect(saysOf(new ProxyError(code))).toMatch(
        /^[A-Z][^.]+\. Send .*session token \(AWS_SESSION_TOKEN\)\.$/,
      );
      expect(saysOf(new ProxyError(code, 'The signature is wrong.'))).toMatch(
        /^The signature is wrong\. Send .*session token \(AWS_SESSION_TOKEN\)\.$/,
      );
    },
  );
});
