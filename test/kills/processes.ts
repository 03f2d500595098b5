// Programs of the project as processes of their own, to be killed and started again at the same ports.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');

export function spawnProgram(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output.text = `${output.text}${chunk}`.slice(-20_000);
    });
  }
  return { child, output, exit: once(child, 'exit') };
}

/** Waits until it has printed `says`. @throws Error with all that it has printed, if it ends before that */
export async function startProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  says: string,
): Promise<{ child: ChildProcess; printed: string }> {
  const { child, output } = spawnProgram(args, environment);
  while (!output.text.includes(says)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}:\n${output.text}`);
    }
    await sleep(50);
  }
  return { child, printed: output.text };
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
}

export const childrenOf = (processId: number): number[] =>
  readFileSync(`/proc/${processId}/task/${processId}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter((child) => child > 0);

export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
