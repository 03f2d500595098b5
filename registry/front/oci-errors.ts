// What an OCI client gets when something goes wrong: each row of the error table as one of OCI's error codes.

import { errors, isErrorCode } from '../../api/errors.ts';
import { type OciCode, type OciForm, ociStatuses, type Subject } from '../../api/oci.ts';
import { headersOf, ProxyError } from '../../api/proxy-error.ts';
import { PortError } from '../port.ts';
import { whereToGoOn } from './upload-place.ts';

export type OciErrorMembers = {
  detail?: object;
  headers?: Readonly<Record<string, string | number>>;
  /** Where HTTP asks for another than the code goes with. */
  status?: number;
  cause?: unknown;
};

/** The only error that reaches an OCI client. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciCode;
  readonly detail: object | undefined;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly status: number;

  constructor(
    code: OciCode,
    message: string,
    { detail, headers = {}, status = ociStatuses[code], cause }: OciErrorMembers = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

export function ociCodeOf(code: string, subject: Subject): OciCode {
  const form: OciForm = isErrorCode(code) ? errors[code].oci : 'UNKNOWN';
  return typeof form === 'string' ? form : form[subject];
}

/** @param repositoryName for the `Location` of an upload that goes on elsewhere than the client thinks */
export function ociErrorOf(error: ProxyError, subject: Subject, repositoryName?: string): OciError {
  const { code, message } = error;
  const { requestId, uploadState } = error instanceof PortError ? error : {};
  const retryAfter = headersOf(error)['Retry-After'];
  const headers = {
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    ...(uploadState && repositoryName !== undefined && whereToGoOn(repositoryName, uploadState)),
  };
  return new OciError(
    uploadState ? 'RANGE_INVALID' : ociCodeOf(code, subject),
    requestId ? `${message} (request ${requestId})` : message,
    { detail: { code, ...(requestId && { requestId }) }, headers, cause: error },
  );
}

/** What this server cannot take now: every client sends it again, and docker does not give up as at 429. */
export const busy = (message: string): OciError =>
  new OciError('UNAVAILABLE', message, { headers: { 'retry-after': 5 } });

/**
 * Refusals that are meant: the policy does not let this client ask, or the registry cannot be asked at all. They alone
 * may be told as if nothing were there, where a tool would stop at anything else. A failure never is: who believes that
 * there is nothing reports so, or overwrites what there is. Decision 0035.
 */
export const isMeant = (
  error: unknown,
  ...codes: readonly ('AccessDeniedException' | 'UnsupportedCommandException')[]
): error is ProxyError => error instanceof ProxyError && codes.some((code) => code === error.code);

/** Whether it is a refusal that becomes one of these codes. */
export const isRefused = (error: unknown, subject: Subject, codes: readonly OciCode[]): error is ProxyError =>
  error instanceof ProxyError && codes.includes(ociCodeOf(error.code, subject));
