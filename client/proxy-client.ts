// A typed client of the proxy's resource API: one method, every operation of the table.

import { Agent, EnvHttpProxyAgent, request as sendRequest } from 'undici';
import type { ErrorCode } from '../api/errors.ts';
import { type Members, type OperationName, type Output, operations } from '../api/operations.ts';
import type { Registry } from '../api/registries.ts';
import { isoText, readOutput } from '../api/wire.ts';
import { endpointUrlOf, type ProxyEndpoint } from './endpoint-url.ts';
import { isLoopback } from './loopback.ts';
import { ProxyProblem } from './problem.ts';
import { problemOf } from './refusals.ts';
import { type ApiRequest, requestOf } from './request.ts';
import { sameSecret } from './same-secret.ts';
import { TokenProblem } from './token-problem.ts';
import { noAnswerProblem, timeoutProblem } from './unanswered.ts';

/**
 * A client token or an OIDC token. A function is asked for each request, so that a token may expire; and once
 * more, with the token that was refused, after a 401: another token is tried then.
 */
export type TokenSource = string | ((refused?: string) => string | Promise<string>);

export type ProxyClientOptions = ProxyEndpoint & {
  /** Default `ecr`. */
  registry?: Registry;
  token: TokenSource;
  /** Ends every request, and all later ones. */
  signal?: AbortSignal | undefined;
  /** For one request with its body and its answer; default {@link defaultTimeoutMs}. */
  timeoutMs?: number;
};

/** API Gateway's 29 s, and the time a part of 4 MiB takes on a line of 400 kbit/s. */
export const defaultTimeoutMs = 120_000;

/**
 * A proxy of the network's between here and the endpoint: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. What goes to this
 * machine stays on it, as with Go's clients: over plain http such a proxy would read the token. Neither follows a
 * redirect, which would take the token elsewhere.
 */
const throughNetwork = new EnvHttpProxyAgent();
const onThisMachine = new Agent();

/** The refusals of a token, after which its source is asked once more. */
const tokenRefusals: ReadonlySet<string> = new Set<ErrorCode>([
  'UnrecognizedClientException',
  'ExpiredTokenException',
]);

export class ProxyClient {
  readonly registry: Registry;
  /** Who waits between two requests should heed it too. */
  readonly signal: AbortSignal | undefined;
  readonly #endpoint: URL;
  readonly #token: TokenSource;
  readonly #timeoutMs: number;

  /** @throws TypeError see {@link endpointUrlOf} */
  constructor({ registry = 'ecr', token, signal, timeoutMs, ...endpoint }: ProxyClientOptions) {
    this.registry = registry;
    this.#endpoint = endpointUrlOf(endpoint);
    this.#token = token;
    this.signal = signal;
    this.#timeoutMs = timeoutMs ?? defaultTimeoutMs;
  }

  /**
   * Sends one request, once; twice where the token was refused and its source then has another.
   * @throws ProxyProblem when the proxy refuses, does not answer or answers nonsense; TokenProblem when the token
   * cannot be one; the signal's reason when aborted; whatever the token's function throws
   */
  async send<Name extends OperationName>(
    operation: Name,
    members: Members<Name>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<Output<Name>> {
    const token = await this.#readToken();
    try {
      return await this.#sendWith(token, operation, members, signal);
    } catch (error) {
      if (!(error instanceof ProxyProblem && tokenRefusals.has(error.code))) {
        throw error;
      }
      const another = await this.#readToken(token);
      if (sameSecret(another, token)) {
        throw error;
      }
      return await this.#sendWith(another, operation, members, signal);
    }
  }

  async #readToken(refused?: string): Promise<string> {
    const token = (typeof this.#token === 'string' ? this.#token : await this.#token(refused)).trim();
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new TokenProblem('the token is empty or no line of visible ASCII');
    }
    return token;
  }

  async #sendWith<Name extends OperationName>(
    token: string,
    operation: Name,
    members: Members<Name>,
    signal: AbortSignal | undefined,
  ): Promise<Output<Name>> {
    const request = requestOf(this.#endpoint, this.registry, operation, members);
    const signals = [this.signal, signal].filter((one) => one !== undefined);
    const { status, headers, body } = await this.#exchange(request, token, signals);
    if (status !== operations[operation].status) {
      throw problemOf(status, headers, without(token, body));
    }
    return outputOf(operation, status, body);
  }

  /** Not by `fetch`, which copies each body. */
  async #exchange({ url, method, headers, body }: ApiRequest, token: string, signals: AbortSignal[]) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), this.#timeoutMs);
    try {
      const answer = await sendRequest(url, {
        dispatcher: isLoopback(url.hostname) ? onThisMachine : throughNetwork,
        method,
        headers: { ...headers, accept: 'application/json', authorization: `Bearer ${token}` },
        body,
        signal: AbortSignal.any([timeout.signal, ...signals]),
      });
      return {
        status: answer.statusCode,
        headers: headersOf(answer.headers),
        body: await answer.body.text(),
      };
    } catch (error) {
      for (const signal of signals) {
        signal.throwIfAborted();
      }
      if (timeout.signal.aborted) {
        throw timeoutProblem(url.host, this.#timeoutMs);
      }
      throw noAnswerProblem(error, url.host);
    } finally {
      clearTimeout(timer);
    }
  }
}

const headersOf = (raw: Record<string, string | string[] | undefined>): Headers =>
  new Headers(
    Object.entries(raw).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  );

/** A short token is no secret, and may be part of any word. */
const shortestSecret = 12;

const without = (token: string, text: string): string =>
  token.length < shortestSecret ? text : text.replaceAll(token, '***');

function outputOf<Name extends OperationName>(operation: Name, status: number, body: string): Output<Name> {
  try {
    return readOutput(operations[operation].output, body, isoText);
  } catch {
    const detail = `the endpoint answers ${operation} with something other than its members: is it this proxy?`;
    throw new ProxyProblem({ status, code: 'UnexpectedAnswer', detail, retryable: false });
  }
}
