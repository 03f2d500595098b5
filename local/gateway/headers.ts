// What API Gateway does to headers on their way to a Lambda function and back, as a table.

type HeaderRule = {
  /** On the way to the function. A Signature Version 4 signature is `dropped-if-signature`. */
  request?: 'dropped' | 'dropped-if-signature';
  /** On the way to the client; a remapped header gets the prefix `x-amzn-Remapped-`. */
  response?: 'dropped' | 'remapped';
};

/**
 * Headers that do not pass as they are, in both directions.
 * Source: "Amazon API Gateway important notes" in the API Gateway developer guide, the columns for Lambda.
 */
const headerRules: Readonly<Record<string, HeaderRule>> = {
  authorization: { request: 'dropped-if-signature', response: 'remapped' },
  connection: { request: 'dropped', response: 'remapped' },
  'content-length': { response: 'dropped' }, // computed from the body
  'content-md5': { request: 'dropped', response: 'remapped' },
  date: { response: 'remapped' },
  expect: { request: 'dropped', response: 'remapped' },
  host: { response: 'dropped' }, // overwritten with the API's own name, which it already is here
  'keep-alive': { request: 'dropped', response: 'dropped' },
  'max-forwards': { request: 'dropped', response: 'remapped' },
  'proxy-authenticate': { request: 'dropped', response: 'dropped' },
  server: { request: 'dropped', response: 'remapped' },
  te: { request: 'dropped', response: 'dropped' },
  trailer: { request: 'dropped', response: 'dropped' },
  'transfer-encoding': { request: 'dropped', response: 'dropped' },
  upgrade: { request: 'dropped', response: 'dropped' },
  'user-agent': { response: 'remapped' },
  via: { response: 'dropped' },
  'www-authenticate': { request: 'dropped', response: 'remapped' },
};

/** Request line and headers together, in bytes. Source: API Gateway quotas, REST APIs. */
export const maxHeaderBytes = 10_240;

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Node.js gives raw headers as one flat list of names and values. */
export const pairHeaders = (rawHeaders: readonly string[]): HeaderList =>
  rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
  );

export const headerBytes = (requestLine: string, headers: HeaderList): number =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, requestLine.length);

const isSignature = (value: string) => /^AWS4-/.test(value.trim());

export const toFunction = (headers: HeaderList): HeaderList =>
  headers.filter(([name, value]) => {
    const rule = headerRules[name.toLowerCase()]?.request;
    return rule !== 'dropped' && !(rule === 'dropped-if-signature' && isSignature(value));
  });

export const toClient = (headers: HeaderList): HeaderList =>
  headers.flatMap(([name, value]) => {
    const rule = headerRules[name.toLowerCase()]?.response;
    if (rule === 'dropped') {
      return [];
    }
    return [[rule === 'remapped' ? `x-amzn-Remapped-${name}` : name, value] as const];
  });
