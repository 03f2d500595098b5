// Amazon ECS ends no task that asks not to be ended: this one asks while it has uploads, and lets go soon after.

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

export type TaskProtectionOptions = {
  /** `ECS_AGENT_URI`. */
  readonly agentUri: string;
  readonly isBusy: () => boolean;
  /** Told what was answered where it is no success: the uploads go on without. */
  readonly warn: (failure: unknown) => void;
  readonly times?: Partial<ProtectionTimes>;
};

export type ProtectionTimes = {
  /** How often it looks whether there are uploads. */
  readonly lookEveryMs: number;
  /** A push is several requests: it is not over between them. */
  readonly quietMs: number;
  /** Renewed long before it ends by itself. */
  readonly renewMs: number;
  /** After a refusal. Amazon ECS protects no more tasks than there are to be: none of the new ones in a deployment. */
  readonly againMs: number;
};

const usualTimes: ProtectionTimes = {
  lookEveryMs: 1_000,
  quietMs: 30_000,
  renewMs: 600_000,
  againMs: 15_000,
};

/** Of a protection that nobody renews: a task that hangs is not kept for long. */
const expiresInMinutes = 60;
const timeoutMs = 5_000;

/**
 * @returns what stops it
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 */
export function protectTask({ agentUri, isBusy, warn, times }: TaskProtectionOptions): () => Promise<void> {
  const { lookEveryMs, quietMs, renewMs, againMs } = { ...usualTimes, ...times };
  const stopping = new AbortController();
  /** Since when the task is protected, and when it was last busy. */
  let protectedAtMs: number | undefined;
  let busyAtMs = Number.NEGATIVE_INFINITY;
  let refusedAtMs = Number.NEGATIVE_INFINITY;

  const set = async (isProtected: boolean): Promise<void> => {
    try {
      await put(agentUri, isProtected);
      protectedAtMs = isProtected ? performance.now() : undefined;
    } catch (error) {
      refusedAtMs = performance.now();
      warn(error);
    }
  };

  const look = async (): Promise<void> => {
    const nowMs = performance.now();
    if (isBusy()) {
      busyAtMs = nowMs;
    }
    const isWanted = nowMs - busyAtMs < quietMs;
    const isDue = isWanted
      ? nowMs - (protectedAtMs ?? Number.NEGATIVE_INFINITY) >= renewMs
      : protectedAtMs !== undefined;
    if (isDue && nowMs - refusedAtMs >= againMs) {
      await set(isWanted);
    }
  };

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await sleep(lookEveryMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
    }
  })();
  return async () => {
    stopping.abort();
    await watching;
    if (protectedAtMs !== undefined) {
      await set(false);
    }
  };
}

const granted = (ProtectionEnabled: boolean) =>
  z.object({ protection: z.object({ ProtectionEnabled: z.literal(ProtectionEnabled) }) });

async function put(agentUri: string, ProtectionEnabled: boolean): Promise<void> {
  const body = JSON.stringify({
    ProtectionEnabled,
    ...(ProtectionEnabled && { ExpiresInMinutes: expiresInMinutes }),
  });
  const response = await fetch(`${agentUri}/task-protection/v1/state`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = await response.text();
  // A refusal of Amazon ECS's, unlike one of the agent's, comes with status 200 and a `failure` in place of this.
  if (!response.ok || !granted(ProtectionEnabled).safeParse(JSON.parse(answer)).success) {
    throw new Error(`task protection: ${response.status} ${answer.slice(0, 500)}`);
  }
}
