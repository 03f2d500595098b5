// Where a local server listens, on the loopback interface and the port it asked for or was given; and how it ends.

import { once } from 'node:events';
import type { Server } from 'node:http';

/** Nothing local is for other machines: the stand-ins let everybody in who reaches them. */
export const loopback = '127.0.0.1';

/** @throws Error when the server does not listen on TCP */
export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the server does not listen');
  }
  return `http://${loopback}:${address.port}`;
}

/** With its connections: one that a client keeps alive would keep the server. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
