// `POST /session-tokens` at the endpoint itself, for clients that reach nothing else: answered as by the resource API.

import { errors } from '../../api/errors.ts';
import { problemOf, problemType } from '../../api/problem-document.ts';
import { headersOf, ProxyError } from '../../api/proxy-error.ts';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { exchange, type ServeServices } from '../../lambda/serve.ts';
import type { Answer } from '../front/exchange.ts';
import type { OtherRequest, OtherRoute, Outcome } from '../front/other-routes.ts';
import type { RequestRecords } from './request-records.ts';

const { name, method, path, status } = sessionTokenExchange;

const answerOf = (
  answered: number,
  contentType: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status: answered,
  headers: { 'content-type': contentType, 'cache-control': 'no-store', ...headers },
  body: Buffer.from(JSON.stringify(body)),
});

const refusalOf = (error: ProxyError, requestId: string): Answer =>
  answerOf(errors[error.code].status, problemType, problemOf(error, requestId), headersOf(error));

async function exchanged(
  request: OtherRequest,
  services: ServeServices,
  records: RequestRecords,
): Promise<Outcome> {
  const { requestId, abortSignal } = request;
  const record = records.begin(request);
  record.call.serves(name);
  const { authorization, 'x-amz-security-token': securityToken } = request.headers;
  const headers = { authorization, 'x-amz-security-token': [securityToken].flat()[0] };
  try {
    const created = await exchange({ headers, abortSignal, record: record.call }, services);
    return { answer: answerOf(status, 'application/json', created) };
  } catch (error) {
    if (!(error instanceof ProxyError)) {
      throw error;
    }
    record.refuse(error);
    return { answer: refusalOf(error, requestId), code: error.code };
  }
}

/** None where the proxy gives no session tokens. */
export const sessionTokenRoutes = (services: ServeServices, records: RequestRecords): OtherRoute[] =>
  services.tokens.sessionTokens
    ? [{ path, methods: { [method]: (request) => exchanged(request, services, records) } }]
    : [];
