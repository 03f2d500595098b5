// A TCP proxy that loses connections: some never come through, some break off in the middle.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type DroppingProxy = { url: string; dropped: () => number; close(): Promise<void> };

/**
 * Before `target`, an http URL on this machine.
 * @param drops whether the connection of this number, counted from 1, breaks off, and after how many bytes
 */
export async function startDroppingProxy(
  target: string,
  drops: (connection: number) => number | undefined,
): Promise<DroppingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let connections = 0;
  let dropped = 0;
  const server = createServer((client) => {
    connections += 1;
    const afterBytes = drops(connections);
    const upstream = connect(Number(port), hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    let bytes = 0;
    client.on('data', (chunk) => {
      bytes += chunk.length;
      if (afterBytes === undefined || bytes < afterBytes || client.destroyed) {
        return;
      }
      dropped += 1;
      end();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    dropped: () => dropped,
    close: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
    },
  };
}
