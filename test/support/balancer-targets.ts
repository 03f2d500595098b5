// What a simulated load balancer sends requests to: each target in turn, over connections that it keeps.

import { Agent } from 'node:http';
import type { Socket } from 'node:net';

/** Keeps connections as long as it likes: the balancer does not ask the target how long it will. */
class Connections extends Agent {
  override keepSocketAlive(): boolean {
    return true;
  }
}

export type Target = { readonly url: string; readonly agent: Agent };

export class Targets {
  readonly #idleMs: number;
  #registered: Target[] = [];
  readonly #draining = new Set<Target>();
  readonly #clocks = new Set<NodeJS.Timeout>();
  #turn = 0;
  /** Connections that waited for a request, and who ended them. */
  readonly idleEnds = { byBalancer: 0, byTarget: 0 };
  /** Connections to targets that wait for a request. */
  readonly #waiting = new Set<Socket>();

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  register(url: string): void {
    this.#registered.push({ url, agent: this.#connections() });
  }

  /** No request is sent there any more; after the delay those that are under way are cut off. */
  deregister(url: string, delayMs: number): void {
    const leaving = this.#registered.filter((target) => target.url === url);
    this.#registered = this.#registered.filter((target) => target.url !== url);
    for (const target of leaving) {
      this.#draining.add(target);
      const clock = setTimeout(() => {
        this.#clocks.delete(clock);
        this.#draining.delete(target);
        target.agent.destroy();
      }, delayMs);
      this.#clocks.add(clock);
    }
  }

  /** @returns undefined where none is registered */
  next(): Target | undefined {
    this.#turn += 1;
    return this.#registered[this.#turn % this.#registered.length];
  }

  /** It has a request to carry. */
  use(socket: Socket): void {
    this.#waiting.delete(socket);
    socket.removeAllListeners('timeout').setTimeout(0);
  }

  close(): void {
    for (const clock of this.#clocks) {
      clearTimeout(clock);
    }
    for (const { agent } of [...this.#registered, ...this.#draining]) {
      agent.destroy();
    }
  }

  #connections(): Agent {
    const watched = new WeakSet<Socket>();
    return new Connections({ keepAlive: true }).on('free', (socket: Socket) => {
      this.#waiting.add(socket);
      socket.removeAllListeners('timeout').setTimeout(this.#idleMs, () => {
        this.idleEnds.byBalancer += 1;
        this.#waiting.delete(socket);
        socket.destroy();
      });
      if (!watched.has(socket)) {
        watched.add(socket);
        socket.once('close', () => {
          this.idleEnds.byTarget += this.#waiting.delete(socket) ? 1 : 0;
        });
      }
    });
  }
}
