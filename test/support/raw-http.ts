// HTTP written by hand, for what no client library lets a test do.

import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export type RawAnswer = { status: number; headers: Headers; body: string };

/** A connection that a test writes to and reads answers with a Content-Length, or without a body, from. */
export class RawConnection {
  readonly socket: Socket;
  readonly #host: string;
  #received = Buffer.alloc(0);
  #onChange: () => void = () => {};

  constructor(port: number) {
    this.#host = `127.0.0.1:${port}`;
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#onChange();
    });
    this.socket.on('error', () => {}).on('close', () => this.#onChange());
    onTestFinished(() => void this.socket.destroy());
  }

  /** Resolves when the system has taken it, which it does only as fast as the other side reads. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** @param lines without `Host` */
  head(...lines: string[]): Promise<void> {
    return this.write(`${lines.join('\r\n')}\r\nHost: ${this.#host}\r\n\r\n`);
  }

  /** The next answer. @throws when the connection ends before */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const answer = this.#takeAnswer();
      if (answer) {
        return answer;
      }
      await this.#changed();
    }
  }

  async closed(): Promise<void> {
    while (!this.socket.closed) {
      await this.#changed(true);
    }
  }

  async #changed(mayClose = false): Promise<void> {
    if (this.socket.closed && !mayClose) {
      throw new Error('the connection is closed');
    }
    await new Promise<void>((resolve) => {
      this.#onChange = resolve;
    });
  }

  #takeAnswer(): RawAnswer | undefined {
    const text = this.#received.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) {
      return undefined;
    }
    const [first = '', ...lines] = text.slice(0, end).split('\r\n');
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers.get('content-length') ?? 0);
    const start = end + 4;
    if (this.#received.length < start + length) {
      return undefined;
    }
    const body = this.#received.subarray(start, start + length).toString();
    this.#received = this.#received.subarray(start + length);
    return { status: Number(first.split(' ')[1]), headers, body };
  }
}
