// The faults of ECR's stand-in, for whoever starts one to hand out.

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
