// What is refused before anything of it is read: requests to a name that is not this registry's, and a browser's.

import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopback } from '../../client/loopback.ts';
import { PortError } from '../../registry/port.ts';

/** A host as `Host` has it, in lower case and without brackets; without a port, any port will do. */
export type HostName = { readonly name: string; readonly port?: number | undefined };

export type OwnNames = {
  /** The name or address where the registry listens; none at a Unix socket. */
  readonly listening?: string | undefined;
  /** PEM. Its names are the registry's. */
  readonly cert?: string | Buffer | undefined;
  /** Others by which its clients know it. */
  readonly hostNames?: readonly HostName[] | undefined;
};

/** @returns undefined where the text is no name or address with or without a port */
export function hostNameOf(text: string, defaultPort?: number): HostName | undefined {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const name = bracketed ?? plain;
  if (name === undefined) {
    return undefined;
  }
  return { name: name.toLowerCase(), port: port === undefined ? defaultPort : Number(port) };
}

/**
 * A web page reaches any registry on its reader's machine, by a name of its own that it has pointed there (DNS
 * rebinding) or blindly by the registry's. A browser says so: by that name in `Host`, by `Origin` in whatever is
 * no simple reading, by `Sec-Fetch-Site` in everything it sends to loopback or over TLS. Container tools send
 * neither of the two. `Sec-Fetch-Mode` proves nothing: Node.js's own `fetch` sends it.
 * @returns what throws PortError AccessDeniedException for such a request
 */
export function admissionOf({
  listening,
  cert,
  hostNames = [],
}: OwnNames): (request: IncomingMessage) => void {
  const certificate = cert === undefined ? undefined : new X509Certificate(cert);
  const defaultPort = certificate ? 443 : 80;

  /** A connection to a Unix socket has no address and no port. */
  const isOwn = ({ name, port }: HostName, { localAddress, localPort = port }: Socket): boolean => {
    if (hostNames.some((own) => own.name === name && (own.port ?? port) === port)) {
      return true;
    }
    if (localPort !== port) {
      return false;
    }
    return (
      isLoopback(name) ||
      name === listening?.toLowerCase() ||
      name === localAddress?.replace(/^::ffff:/, '') ||
      certificate?.checkHost(name) !== undefined
    );
  };

  return ({ headers, headersDistinct, socket }) => {
    const [host, ...others] = headersDistinct.host ?? [];
    if (host === undefined || others.length > 0) {
      throw new PortError('InvalidParameterException', 'a request has one Host header');
    }
    const hostName = hostNameOf(host, defaultPort);
    if (!hostName || !isOwn(hostName, socket)) {
      throw denied(
        'the Host header holds no name of this registry: where its clients know it by that name, start it with --host-name',
      );
    }
    const fromBrowser = ['origin', 'sec-fetch-site'].find((header) => header in headers);
    if (fromBrowser !== undefined) {
      throw denied(`no web page may use this registry, and a browser sends ${fromBrowser}`);
    }
  };
}

const denied = (message: string): PortError => new PortError('AccessDeniedException', message);
