// What API Gateway refuses by itself, before or instead of a function, in a form of its own.

/**
 * By HTTP status. Sources: the API Gateway developer guide, "Gateway response types", and its quotas.
 * A body is at most 10 MB, and an event for a function smaller than 6,291,456 bytes.
 */
export const gatewayRefusals: Readonly<Record<number, string>> = {
  403: 'refused by API Gateway: no such route, or WAF',
  413: 'refused by API Gateway: the body is over 10 MB, or too large for a function',
  429: 'refused by API Gateway: too many requests',
  431: 'refused by API Gateway: over 10,240 bytes of headers',
  502: 'refused by API Gateway: the function ended without an answer',
  504: 'refused by API Gateway: no answer within 29 s',
};

export const gatewayRefusal = {
  type: 'object',
  description: 'What API Gateway refuses by itself.',
  required: ['message'],
  properties: { message: { type: ['string', 'null'] } },
};
