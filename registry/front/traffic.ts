// Which requests are under way on which connections, and when the last push is over.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 20;

export class Traffic {
  readonly #requests = new Map<IncomingMessage, Duplex>();
  #lastWriteMs = Number.NEGATIVE_INFINITY;

  /** Counts requests, from their headers until they are answered and read, and passes them on. */
  counted(listener: (request: IncomingMessage, response: ServerResponse) => void): RequestListener {
    return (request, response) => {
      this.#requests.set(request, request.socket);
      let open = 2;
      const onClose = () => {
        open -= 1;
        if (open === 0) {
          this.#requests.delete(request);
          if (request.method !== 'GET' && request.method !== 'HEAD') {
            this.#lastWriteMs = performance.now();
          }
        }
      };
      request.on('close', onClose);
      response.on('close', onClose);
      listener(request, response);
    };
  }

  /** Whether a request of this connection is under way. */
  has(socket: Duplex): boolean {
    return [...this.#requests.values()].includes(socket);
  }

  /** Waits until no request is under way, and none that writes was for `quietMs`; for `withinMs` at most. */
  async ended(quietMs: number, withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    const isOver = () => this.#requests.size === 0 && performance.now() - this.#lastWriteMs >= quietMs;
    while (!isOver() && performance.now() < deadlineMs) {
      await sleep(lookEveryMs);
    }
  }
}
