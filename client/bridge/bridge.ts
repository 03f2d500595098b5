// A registry for container tools on the client's side: what reaches it goes through the proxy.

import type { Registry } from '../../api/registries.ts';
import type { OpenRegistry } from '../../registry/port.ts';
import { BridgeRegistry } from './bridge-registry.ts';
import type { Identities } from './identities.ts';
import { asPortErrors } from './port-errors.ts';
import { type SessionBounds, UploadSessions } from './upload-sessions.ts';

export type BridgeOptions = {
  identities: Identities;
  registry: Registry;
  registryId?: string | undefined;
  bounds?: Partial<SessionBounds>;
};

export type Bridge = {
  open: OpenRegistry;
  /** Gives up the uploads under way. */
  close(): void;
};

export function openBridge({ identities, registry, registryId, bounds }: BridgeOptions): Bridge {
  const sessions = new UploadSessions(bounds);
  return {
    open: async (caller) => {
      const identity = await asPortErrors(identities(caller.token));
      return new BridgeRegistry(identity, caller, { sessions, registry, registryId });
    },
    close: () => sessions.close(),
  };
}
