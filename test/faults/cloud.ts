// AWS's services and an issuer behind one port: counts the calls of a request, and lets a fault have one of them.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeServer, urlOf } from '../../local/address.ts';
import { type Answer, type Asked, type Call, errorAnswer, type Service } from './answers.ts';
import { type AwsState, awsState } from './aws-state.ts';
import type { Clock } from './clock.ts';
import { keyOf } from './staging-bucket.ts';
import { type Taken, withoutWire } from './without-wire.ts';

/** What a fault has in hand when a call is its own. */
export type Struck = {
  readonly call: Call;
  readonly state: AwsState;
  /** Of S3, the key of the object. */
  readonly key: string;
  /** Does what the call asks for, once. */
  readonly work: () => Answer;
  readonly give: (answer: Answer) => void;
  /** Only so many bytes of the answer's body arrive. */
  readonly cut: (answer: Answer) => void;
  readonly drop: () => void;
  /** The connection itself, for what no service of AWS's writes, and the services' time for its headers. */
  readonly wire: ServerResponse;
  readonly date: string;
  /** Whoever made the call is no more, and gets no answer. */
  readonly kill: () => void;
};

export type Act = (struck: Struck) => void | Promise<void>;

const serviceOfPrefix: Readonly<Record<string, Service>> = {
  AmazonEC2ContainerRegistry_V20150921: 'ecr',
  SpencerFrontendService: 'ecr',
  DynamoDB_20120810: 'dynamodb',
  secretsmanager: 'secretsmanager',
};

function whatIsAsked({ headers, method = '', url = '' }: Asked): Omit<Call, 'nth'> {
  const [prefix = '', operation = ''] = String(headers['x-amz-target'] ?? '').split('.');
  const service = serviceOfPrefix[prefix];
  if (service) {
    return { service, operation };
  }
  return headers['x-amz-date'] === undefined
    ? { service: 'issuer', operation: url.split('/').at(-1) ?? '' }
    : { service: 's3', operation: method };
}

/** Source: AWS IAM user guide, "Troubleshoot Signature Version 4 signing": a signature is valid for five minutes. */
const maxSkewMs = 300_000;

function signedAtMs({ headers }: Asked): number {
  const [, ...digits] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  const [year = 0, month = 1, day = 0, hour = 0, minute = 0, second = 0] = digits.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** How AWS refuses what a wrong clock has signed. */
export const skewed = (service: Service): Answer =>
  service === 's3'
    ? errorAnswer('s3', 403, 'RequestTimeTooSkewed')
    : errorAnswer(service, 400, 'InvalidSignatureException');

function memoized<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Both ends are in this process: what was written is read within a turn or two of its loop. */
const settlingMs = 5;

export async function startCloud(clock: Clock) {
  const state = awsState();
  let seen: Call[] = [];
  let strike: (call: Call) => Act | undefined = () => undefined;
  let onKill = () => {};

  const dateNow = () => new Date(clock.now()).toUTCString();

  function writerOf({ method }: Asked, response: ServerResponse) {
    const date = dateNow();
    const begin = ({ status, headers, body }: Answer) => {
      const length = Buffer.byteLength(body);
      response.writeHead(status, { ...headers, date, 'content-length': length });
    };
    return {
      give: (answer: Answer) => {
        begin(answer);
        response.end(method === 'HEAD' ? undefined : answer.body);
      },
      cut: (answer: Answer) => {
        begin(answer);
        response.write(Buffer.from(answer.body).subarray(0, Math.ceil(answer.body.length / 2)));
        setImmediate(() => response.destroy());
      },
      drop: () => response.destroy(),
      wire: response,
      date,
    };
  }

  let reading = 0;

  /** @returns undefined where whoever made the call has given it up */
  async function bodyOf(request: Readable): Promise<Buffer | undefined> {
    reading += 1;
    try {
      return await buffer(request);
    } catch {
      return undefined;
    } finally {
      reading -= 1;
    }
  }

  const callOf = (request: Asked): Call => {
    const asked = whatIsAsked(request);
    const alike = seen.filter(
      ({ service, operation }) => service === asked.service && operation === asked.operation,
    );
    return { ...asked, nth: alike.length + 1 };
  };

  const answerOf = (call: Call, request: Asked, body: Buffer): Answer => {
    const { service, operation } = call;
    const isSkewed = service !== 'issuer' && Math.abs(signedAtMs(request) - clock.now()) > maxSkewMs;
    return isSkewed ? skewed(service) : state.answers[service](operation, request, body);
  };

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (body === undefined) {
      return;
    }
    const call = callOf(request);
    seen.push(call);
    const work = memoized(() => answerOf(call, request, body));
    const act = strike(call);
    const writer = writerOf(request, response);
    if (act) {
      await act({ call, state, key: keyOf(request), work, kill: () => onKill(), ...writer });
    } else {
      writer.give(work());
    }
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  /** A call that meets no fault, answered here and now; undefined for one that does. */
  const answerAtOnce = (request: Asked, body: Buffer): Taken | undefined => {
    const call = callOf(request);
    if (strike(call)) {
      return undefined;
    }
    seen.push(call);
    const { status, headers, body: answered } = answerOf(call, request, body);
    const isHead = request.method === 'HEAD';
    const date = dateNow();
    return {
      statusCode: status,
      headers: { ...headers, date, 'content-length': String(Buffer.byteLength(answered)) },
      body: Readable.from(isHead ? [] : [Buffer.from(answered)]),
    };
  };

  return {
    url: urlOf(server),
    state,
    /** Applied to a client of the SDK: calls that meet no fault do without a connection. */
    withoutWire: withoutWire(answerAtOnce),
    /** Forgets what was called before. @returns what has been called since then */
    watch: () => {
      seen = [];
      const own = seen;
      return () => own;
    },
    /** @param choose says which calls are a fault's, until {@link calm} */
    arm: (choose: (call: Call) => Act | undefined, whenKilled: () => void = () => {}) => {
      strike = choose;
      onKill = whenKilled;
    },
    calm: () => {
      strike = () => undefined;
      onKill = () => {};
    },
    /** Every call that is on its way has arrived: what a request has sent before its time ended may come later. */
    settled: async () => {
      do {
        await sleep(settlingMs);
      } while (reading > 0);
    },
    close: () => closeServer(server),
  };
}

export type Cloud = Awaited<ReturnType<typeof startCloud>>;
