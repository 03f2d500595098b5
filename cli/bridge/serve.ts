// The registry's HTTP side before the bridge's side of its port.

import { admissionOf, type HostName } from '../../client/bridge/admission.ts';
import { type BridgeOptions, openBridge } from '../../client/bridge/bridge.ts';
import {
  type RegistryServer,
  type RegistryServerOptions,
  startRegistryServer,
} from '../../registry/front/server.ts';

export type ServeOptions = Pick<RegistryServerOptions, 'address' | 'tls' | 'onServed' | 'bounds'> &
  Pick<BridgeOptions, 'identities' | 'registry' | 'registryId'> & {
    /** Names that clients use for it, besides those of loopback, the address and the certificate. */
    hostNames?: readonly HostName[] | undefined;
    uploads?: BridgeOptions['bounds'];
  };

/** @throws the plain `EADDRINUSE` error when the port or the socket is taken */
export async function serveBridge({
  identities,
  registry,
  registryId,
  hostNames,
  uploads = {},
  ...options
}: ServeOptions): Promise<RegistryServer> {
  const { address, tls } = options;
  const bridge = openBridge({ identities, registry, registryId, bounds: uploads });
  const listening = 'host' in address ? address.host : undefined;
  const server = await startRegistryServer({
    ...options,
    registry,
    open: bridge.open,
    admit: admissionOf({ listening, cert: tls?.cert, hostNames }),
  });
  return {
    ...server,
    close: async (withinMs) => {
      await server.close(withinMs);
      bridge.close();
    },
  };
}
