// Where a local server listens: on the loopback interface, on the port it asked for or was given.

import type { Server } from 'node:http';

/** Nothing local is for other machines: the stand-ins let everybody in who reaches them. */
export const loopback = '127.0.0.1';

/** @throws Error when the server does not listen on TCP */
export const urlOf = (server: Server): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `http://${loopback}:${address.port}`;
};
