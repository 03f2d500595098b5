// The headers that errors have in the resource API, besides Retry-After.

import type { ErrorMembers } from './error-members.ts';

export type ErrorHeader = {
  name: string;
  /** What API Gateway calls it on its way from a function, where it changes the name. */
  renamed?: string;
  description: string;
  pattern: RegExp;
  /** Undefined where this error has no such header. */
  value: (members: ErrorMembers) => string | undefined;
};

export const challenge: ErrorHeader = {
  name: 'WWW-Authenticate',
  renamed: 'x-amzn-Remapped-WWW-Authenticate',
  description: 'The challenge `WWW-Authenticate`, under the name that API Gateway gives it.',
  pattern: /^Bearer realm="ecr-upload-proxy"$/,
  value: () => 'Bearer realm="ecr-upload-proxy"',
};

export const receivedRange: ErrorHeader = {
  name: 'Range',
  description: 'As `lastValidByteReceived`; absent when the proxy has no byte.',
  pattern: /^bytes=0-\d+$/,
  value: ({ lastValidByteReceived: last }) => (last === undefined ? undefined : `bytes=0-${last}`),
};
