// One of many clients of a load: sends a request until the answer is no throttle any more, and measures each.

import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Agent, request } from 'undici';
import { z } from 'zod';
import { isThrottle, type Measurements } from './measurements.ts';

export type Call = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Sent in pieces and without a length, as docker sends a layer. */
  chunked?: boolean;
};

export type Answer = { location: string | undefined; body: string };

/** What all clients of a load share. */
export type Load = { measurements: Measurements; agent: Agent; isOver: () => boolean };

/** Another status than success that is no throttle either: counted already. */
export class Refused extends Error {}

/** The time of the load is over: nothing more is begun. */
export class TimeOver extends Error {}

/** A throttle: what is to be sent again is more than this one request. */
export class Throttled extends Error {}

/** Of problem documents, and of OCI's errors. */
const failure = z.union([
  z.object({ code: z.string() }),
  z.object({ errors: z.tuple([z.object({ code: z.string() })]) }).transform(({ errors: [first] }) => first),
]);

const chunkBytes = 65_536;

function* chunksOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield bytes.subarray(at, at + chunkBytes);
  }
}

export class VirtualClient {
  readonly #token: string;
  readonly #measurements: Measurements;
  readonly #agent: Agent;
  readonly #isOver: () => boolean;

  /** @param agent shared by all, with a connection for each */
  constructor(token: string, { measurements, agent, isOver }: Load) {
    this.#token = token;
    this.#measurements = measurements;
    this.#agent = agent;
    this.#isOver = isOver;
  }

  /** Again and again as long as the answer says so. @throws Refused, TimeOver */
  async send(kind: string, call: Call): Promise<Answer> {
    for (;;) {
      try {
        return await this.sendOnce(kind, call);
      } catch (error) {
        if (!(error instanceof Throttled)) {
          throw error;
        }
      }
    }
  }

  /** @throws Throttled, after the pause that the answer asks for; Refused; TimeOver */
  async sendOnce(kind: string, { method, url, headers, body, chunked }: Call): Promise<Answer> {
    if (this.#isOver()) {
      throw new TimeOver();
    }
    const startedAt = performance.now();
    const response = await request(url, {
      dispatcher: this.#agent,
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      body: body instanceof Uint8Array && chunked ? Readable.from(chunksOf(body)) : (body ?? null),
    }).catch((error: unknown) => {
      this.#measurements.addFailure(kind, error);
      throw new Refused(kind, { cause: error });
    });
    const text = await response.body.text();
    const { statusCode: status } = response;
    this.#measurements.add(kind, status, codeOf(text), performance.now() - startedAt);
    if (status < 300) {
      const { location } = response.headers;
      return { location: typeof location === 'string' ? location : undefined, body: text };
    }
    if (!isThrottle(status)) {
      throw new Refused(`${kind}: ${status}`);
    }
    const seconds = Number(response.headers['retry-after'] ?? 1);
    // A random part, so that not all come again at the same moment.
    await delay(seconds * 1_000 * (0.5 + Math.random()));
    throw new Throttled(`${kind}: ${status}`);
  }
}

function codeOf(text: string): string {
  try {
    return failure.parse(JSON.parse(text)).code;
  } catch {
    return text.slice(0, 80);
  }
}
