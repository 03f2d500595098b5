// What API Gateway answers when a function ends without an answer.

import { awsFormOf } from '../../api/aws-form.ts';
import { errors } from '../../api/errors.ts';
import { headersOf, ProxyError } from '../../api/proxy-error.ts';

/** As the template says: lib/api/gateway-responses.ts. */
export const deathCode = 'ServiceUnavailableException';

export function deathAnswer(): Response {
  const { type: __type } = awsFormOf({ code: deathCode, message: '' });
  const headers = headersOf(new ProxyError(deathCode));
  return Response.json({ code: deathCode, __type }, { status: errors[deathCode].status, headers });
}
