// The functions' two APIs in this process: a request becomes an event, and the handler's result an answer.

import type { APIGatewayProxyResult } from 'aws-lambda';
import { answerReserveMs } from '../../api/limits.ts';
import { type Members, type OperationName, operationNames } from '../../api/operations.ts';
import { type Registry, registries } from '../../api/registries.ts';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { requestOf } from '../../client/request.ts';
import type { FunctionServices } from '../../lambda/function-services.ts';
import { awsHandler, sessionTokenHandler } from '../../lambda/gateway/handler.ts';
import { onceMore } from '../../lambda/retries.ts';
import { handlersOf, sendTo } from '../support/in-process.ts';
import { awsEvent, lambdaContext, proxyEvent } from '../support/proxy-event.ts';
import type { Open, Reply, Serving } from './front.ts';
import { deathAnswer } from './function-death.ts';
import { registryAlias } from './layer.ts';

export type FunctionRequest =
  | { [Name in OperationName]: { readonly operation: Name; readonly members: Members<Name> } }[OperationName]
  | { readonly operation: typeof sessionTokenExchange.name };

type Invoke = (
  request: FunctionRequest,
  token: string,
  isRepeated: boolean,
  timeoutMs: number,
) => Promise<Reply>;

async function replyOf(response: Response): Promise<Reply> {
  const text = await response.text();
  const body: unknown = JSON.parse(text);
  const members = typeof body === 'object' && body !== null ? { ...body } : {};
  const code = 'code' in members ? String(members.code) : undefined;
  return { status: response.status, code, headers: response.headers, body: members };
}

const headersOf = ({ headers = {} }: APIGatewayProxyResult) =>
  new Headers(Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]));

const responseOf = (result: APIGatewayProxyResult) =>
  new Response(result.body, { status: result.statusCode, headers: headersOf(result) });

/** At ECR Public a registry has an alias, which stands for its account. */
const idOf = (registry: Registry) => (registry === 'ecr-public' ? { registryId: registryAlias } : {});

/** Of no importance: the handlers are asked directly. */
const endpoint = new URL('http://in-process');

function resourceApi(services: FunctionServices, registry: Registry): Invoke {
  const handlers = handlersOf(services);
  const exchange = sessionTokenHandler(services);
  return async (request, token, _isRepeated, timeoutMs) => {
    const headers = { authorization: `Bearer ${token}` };
    if (request.operation === sessionTokenExchange.name) {
      const event = proxyEvent('InitiateLayerUpload', { headers });
      return replyOf(responseOf(await exchange(event, lambdaContext(timeoutMs))));
    }
    const { url, method, body, ...written } = requestOf(endpoint, registry, request.operation, {
      ...request.members,
      ...idOf(registry),
    });
    const init = {
      method,
      headers: { ...headers, ...written.headers },
      ...(body !== null && { body: bodyOf(body) }),
    };
    return replyOf(await sendTo(handlers, timeoutMs)(`${url.pathname}${url.search}`, init));
  };
}

const bodyOf = (body: string | Uint8Array) => (typeof body === 'string' ? body : new Uint8Array(body));

const asJson = (members: object) =>
  Object.fromEntries(
    Object.entries(members).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ]),
  );

function awsApi(services: FunctionServices, registry: Registry): Invoke {
  const handler = awsHandler(services);
  return async (request, token, isRepeated, timeoutMs) => {
    if (request.operation === sessionTokenExchange.name) {
      throw new Error('the AWS API exchanges no tokens');
    }
    const headers = {
      'x-amz-security-token': token,
      'amz-sdk-request': `attempt=${isRepeated ? 2 : 1}; max=3`,
      'x-amz-target': `${registries[registry].targetPrefix}.${request.operation}`,
    };
    const json = asJson({ ...request.members, ...idOf(registry) });
    const event = awsEvent(request.operation, { headers, json });
    const { status, body, ...reply } = await replyOf(
      responseOf(await handler(event, lambdaContext(timeoutMs))),
    );
    return { ...reply, status, body, code: status === 200 ? undefined : String(body.__type) };
  };
}

const apis = { resource: resourceApi, aws: awsApi } as const;

/** Whose operations are routes of the API. */
export const servedBy = {
  resource: [...operationNames, sessionTokenExchange.name],
  aws: operationNames,
} as const;

const usualPatienceMs = 28_000;

export function serveFunctions(
  api: keyof typeof apis,
  registry: Registry,
  open: Open,
): Serving<FunctionRequest> {
  const another = () => ({
    invoke: apis[api](open(onceMore), registry),
    death: Promise.withResolvers<Reply>(),
  });
  let instance = another();
  let timeoutMs = usualPatienceMs;
  return {
    connect:
      (token) =>
      (request, isRepeated = false) =>
        Promise.race([instance.death.promise, instance.invoke(request, token, isRepeated, timeoutMs)]),
    setPatience: (ms) => {
      timeoutMs = answerReserveMs + ms;
    },
    kill: async () => {
      const { death } = instance;
      instance = another();
      const reply = await replyOf(deathAnswer());
      death.resolve(api === 'aws' ? { ...reply, code: String(reply.body.__type) } : reply);
    },
    close: async () => {},
  };
}
