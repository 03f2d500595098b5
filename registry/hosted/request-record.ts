// What the log and the metrics say of one HTTP request, whose body may have been thousands of parts: one line of it.

import type { ProxyError } from '../../api/proxy-error.ts';
import type { CallRecord } from '../../lambda/telemetry/call-record.ts';

type Counted = Parameters<CallRecord['count']>;

/** Members of a part's line that are the first part's, of the request's line. */
const firstOnly = new Set(['partFirstByte']);

/** Gathers what the calls of a request say, and says it once. */
export class RequestRecord {
  readonly #record: CallRecord;
  readonly #counts = new Map<Counted[0], number>();
  readonly #seen = new Set<string>();
  #isServing = false;
  #refusal: ProxyError | undefined;

  constructor(record: CallRecord) {
    this.#record = record;
  }

  /** Of each call that the request makes. What it serves is what is said first. */
  readonly call: CallRecord = {
    serves: (operation) => {
      if (!this.#isServing) {
        this.#isServing = true;
        this.#record.serves(operation);
      }
    },
    add: (members) => {
      const news = Object.entries(members).filter(([name]) => !(firstOnly.has(name) && this.#seen.has(name)));
      for (const [name] of news) {
        this.#seen.add(name);
      }
      this.#record.add(Object.fromEntries(news));
    },
    count: (name, value = 1) => {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + value);
    },
    warn: (message, failure) => this.#record.warn(message, failure),
    // The request ends, and not one of its calls.
    end: () => {},
  };

  /** What the registry has refused the request with, if that is what it was answered. */
  get refusal(): ProxyError | undefined {
    return this.#refusal;
  }

  refuse(error: ProxyError): void {
    this.#refusal = error;
  }

  /** Once: with the HTTP status of the answer, and the error where it is one. */
  end(status: number | undefined, error?: ProxyError): void {
    const bytes = this.#counts.get('Bytes');
    if (bytes !== undefined) {
      this.#record.add({ bytes });
    }
    for (const [name, value] of this.#counts) {
      this.#record.count(name, value);
    }
    this.#record.end(status, error);
  }
}

/** Of a question that the endpoint asks for itself: it is not what the client asked for. */
export const unrecorded: CallRecord = {
  serves: () => {},
  add: () => {},
  count: () => {},
  warn: () => {},
  end: () => {},
};
