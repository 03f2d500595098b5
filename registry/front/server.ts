// The OCI distribution API over HTTP: a server of Node.js's own, before a port that reaches ECR. Decision 0023.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type Bounds, defaultBounds } from './bounds.ts';
import { ManifestMemory } from './manifest-memory.ts';
import { type Service, serve } from './serve.ts';
import { Traffic } from './traffic.ts';
import { listenAtSocket } from './unix-socket.ts';
import { refuseUnreadable } from './unreadable.ts';
import { UploadSlots } from './upload-slots.ts';

/** A port of 0 takes any free one. A socket is its owner's alone. */
export type Address = { host: string; port: number } | { socket: string };

/** PEM. */
export type TlsMaterial = { cert: string | Buffer; key: string | Buffer };

export type RegistryServerOptions = Pick<Service, 'open' | 'registry'> &
  Partial<Pick<Service, 'admit' | 'sourceIpOf' | 'otherRoutes' | 'onServed'>> & {
    address: Address;
    /** Without it the server speaks plain HTTP. */
    tls?: TlsMaterial | undefined;
    bounds?: Partial<Bounds>;
  };

export type RegistryServer = {
  /** `http://host:port`, or `unix:` and a path. */
  url: string;
  /** How many requests bring bytes of blobs at this moment. */
  uploadsUnderWay(): number;
  /**
   * Begins no upload any more and lets those under way end; it listens all the while, for their next requests come
   * by new connections. After `withinMs` whatever is left is cut off.
   */
  close(withinMs?: number): Promise<void>;
};

/** @throws the plain `EADDRINUSE` error when the port or the socket is taken */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const { address, tls } = options;
  const bounds = { ...defaultBounds, ...options.bounds };
  const slots = new UploadSlots(bounds);
  const traffic = new Traffic();
  let isClosing = false;
  const service: Service = {
    open: options.open,
    registry: options.registry,
    admit: options.admit ?? (() => {}),
    sourceIpOf: options.sourceIpOf ?? (({ socket }) => socket.remoteAddress),
    otherRoutes: options.otherRoutes ?? [],
    onServed: unfailing(options.onServed ?? (() => {})),
    bounds,
    slots,
    manifestMemory: new ManifestMemory(bounds),
    isClosing: () => isClosing,
  };
  const server = createServerOf(bounds, tls);
  server
    .on(
      'request',
      traffic.counted((request, response) => serve(request, response, service, () => {})),
    )
    .on(
      'checkContinue',
      traffic.counted((request, response) =>
        serve(request, response, service, () => response.writeContinue()),
      ),
    )
    .on('clientError', (error, socket) => refuseUnreadable(error, socket, traffic.has(socket)))
    .on('timeout', endUnlessRead);
  const place = await listen(server, address);
  return {
    url: 'socket' in address ? place : `${tls ? 'https' : 'http'}://${place}`,
    uploadsUnderWay: () => slots.size,
    close: async (withinMs = 0) => {
      isClosing = true;
      await traffic.ended(bounds.betweenUploadsMs, withinMs);
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A log that cannot be written is no reason for anything else to fail. */
const unfailing =
  (onServed: Service['onServed']): Service['onServed'] =>
  (served) => {
    try {
      onServed(served);
    } catch {}
  };

/** Node.js would end every body that takes long; what may stand still, and how long, each body's own clock says. */
function createServerOf(
  { headerBytes, headersMs, keepAliveMs }: Bounds,
  tls: TlsMaterial | undefined,
): Server {
  const options = {
    requestTimeout: 0,
    headersTimeout: headersMs,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: headerBytes,
    connectionsCheckingInterval: Math.min(30_000, headersMs),
  };
  return tls ? createTlsServer({ ...options, ...tls }) : createServer(options);
}

/**
 * Node.js looks at its clocks before it reads. After a second in which this process was too busy to read, it would reset
 * a connection whose next request came in time.
 */
function endUnlessRead(socket: Socket): void {
  const { bytesRead } = socket;
  setImmediate(() => {
    if (socket.bytesRead === bytesRead) {
      socket.destroy();
    }
  });
}

/** @returns host and port, or the socket as `unix:` and its path */
async function listen(server: Server, address: Address): Promise<string> {
  if ('socket' in address) {
    await listenAtSocket(server, address.socket);
    return `unix:${address.socket}`;
  }
  server.listen(address);
  await once(server, 'listening');
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
}
