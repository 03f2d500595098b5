// What API Gateway refuses by itself, before or instead of a function.

import type { ErrorCode } from '../errors.ts';

/** What it says of any route as a problem document, by lib/api/gateway-responses.ts. */
export const gatewayCodes: readonly ErrorCode[] = [
  'AccessDeniedException',
  'RequestEntityTooLargeException',
  'ThrottlingException',
  'InternalFailure',
  'GatewayTimeoutException',
];

/**
 * What it says in its own words, by HTTP status: the two that cannot be customised. Sources: the API Gateway
 * developer guide, "Gateway response types", and its quotas.
 */
export const gatewayRefusals: Readonly<Record<number, string>> = {
  413: 'refused by API Gateway in its own words: the body is over 10 MB',
  431: 'refused by API Gateway in its own words: over 10,240 bytes of headers',
};

export const gatewayRefusal = {
  type: 'object',
  description: 'What API Gateway refuses in its own words.',
  required: ['message'],
  properties: { message: { type: ['string', 'null'] } },
};
