// What goes wrong on the client's side, as rows of the error table.

import { type ErrorCode, isErrorCode } from '../../api/errors.ts';
import { PortError } from '../../registry/port.ts';
import { LayerProblem, type LayerProblemCode } from '../layer-problem.ts';
import { type ClientCode, ProxyProblem } from '../problem.ts';
import { TokenProblem } from '../token-problem.ts';

/** What has no row of its own. */
const rowOf = {
  NoAnswer: 'ServiceUnavailableException',
  RequestTimeout: 'GatewayTimeoutException',
  UnexpectedAnswer: 'ServerException',
  EmptyLayer: 'EmptyUploadException',
  BytesGone: 'ServiceUnavailableException',
  UploadLost: 'ServiceUnavailableException',
  NoProgress: 'ServiceUnavailableException',
  DigestMismatch: 'InvalidLayerException',
  SizeMismatch: 'InvalidLayerException',
} as const satisfies Record<ClientCode | LayerProblemCode, ErrorCode>;

const hasRow = (code: string): code is keyof typeof rowOf => Object.hasOwn(rowOf, code);

/** Whatever else is thrown is passed on. */
function portErrorOf(error: unknown): unknown {
  if (error instanceof TokenProblem) {
    return new PortError('UnrecognizedClientException', error.message, { cause: error });
  }
  if (error instanceof LayerProblem) {
    return new PortError(rowOf[error.code], error.message, { cause: error });
  }
  if (!(error instanceof ProxyProblem)) {
    return error;
  }
  const { code, detail, requestId, retryAfterSeconds } = error;
  const known = isErrorCode(code) ? code : hasRow(code) ? rowOf[code] : undefined;
  const members = { requestId, retryAfterSeconds, cause: error };
  return known === undefined || code === 'UnexpectedAnswer'
    ? new PortError(rowOf.UnexpectedAnswer, `${detail}: is the endpoint of this bridge the proxy?`, members)
    : new PortError(known, detail, members);
}

/** What `work` throws leaves as the port's error. */
export async function asPortErrors<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw portErrorOf(error);
  }
}
