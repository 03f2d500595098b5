// The faults of ECR's stand-in and of the local gateway, for whoever starts one to hand out.

import type { GatewayResponse } from '../../local/gateway/responses.ts';

export type Fault = { operation?: string; fault: string; times?: number; skip?: number; delayMs?: number };

export const faultsOf = (ecrUrl: string) => ({
  /** @throws Error for a fault that the stand-in does not know */
  arm: async (fault: Fault): Promise<void> => {
    const response = await fetch(`${ecrUrl}/_faults`, { method: 'POST', body: JSON.stringify(fault) });
    if (response.status !== 201) {
      throw new Error(await response.text());
    }
  },
  disarm: async (): Promise<void> => {
    await fetch(`${ecrUrl}/_faults`, { method: 'DELETE' });
  },
});

export type Faults = ReturnType<typeof faultsOf>;

export type GatewayFault = { responseType: GatewayResponse; times?: number; skip?: number };

export const gatewayFaultsOf = (proxyUrl: string) => ({
  /** @throws Error for a response type that the gateway does not know */
  armGateway: async (fault: GatewayFault): Promise<void> => {
    const response = await fetch(`${proxyUrl}/_gateway-faults`, {
      method: 'POST',
      body: JSON.stringify(fault),
    });
    if (response.status !== 201) {
      throw new Error(await response.text());
    }
  },
  disarmGateway: async (): Promise<void> => {
    await fetch(`${proxyUrl}/_gateway-faults`, { method: 'DELETE' });
  },
});
