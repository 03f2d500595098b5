// A Unix socket outlives the process that listened at it, if that was killed: it is taken away before another listens there.

import { once } from 'node:events';
import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';

const isRefused = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';

/** Leaves one at which somebody listens, and whatever is no socket. */
export async function removeAbandonedSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket()) {
    return;
  }
  const connection = connect(path);
  try {
    await once(connection, 'connect');
  } catch (error) {
    if (isRefused(error)) {
      await rm(path, { force: true });
    }
  } finally {
    connection.destroy();
  }
}
