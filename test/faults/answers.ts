// An answer of a service's, and the forms that errors have at each: JSON, S3's XML, an issuer's plain text.

import { type IncomingMessage, STATUS_CODES } from 'node:http';

export const services = ['ecr', 's3', 'dynamodb', 'secretsmanager', 'issuer'] as const;
export type Service = (typeof services)[number];

/** A request as far as a service looks at it, besides its body. */
export type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

/** Which call of a request it is: the `nth` to this operation of the service (of S3, a method; of an issuer, a path). */
export type Call = { readonly service: Service; readonly operation: string; readonly nth: number };

/** The same in every run of the same request. */
export const nameOf = ({ service, operation, nth }: Call): string => `${service} ${operation} ${nth}`;

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
};

const amzJson = 'application/x-amz-json-1.1';

export const jsonAnswer = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': amzJson },
  body: JSON.stringify(body),
});

const xml = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>m</Message></Error>`,
});

export const html = (status: number): Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<html><head><title>${status} ${STATUS_CODES[status]}</title></head><body>nginx</body></html>`,
});

/** @param members of AWS's JSON protocols: what the exception has besides its name */
export function errorAnswer(service: Service, status: number, name: string, members: object = {}): Answer {
  if (service === 's3') {
    return xml(status, name);
  }
  return service === 'issuer'
    ? { status, body: name }
    : jsonAnswer({ __type: name, message: name, ...members }, status);
}
