// Listening at a Unix socket, which is its owner's alone.

import { once } from 'node:events';
import { lstat, rm } from 'node:fs/promises';
import { connect, type Server } from 'node:net';

const isRefused = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';

/** A socket outlives the process that listened at it, if that was killed. One at which somebody listens is left, and whatever is no socket. */
async function removeAbandonedSocket(path: string): Promise<void> {
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

/** @throws the plain EADDRINUSE error where somebody listens, or where there is another kind of file */
export async function listenAtSocket(server: Server, path: string): Promise<void> {
  await removeAbandonedSocket(path);
  const listening = once(server, 'listening');
  // From its first moment on, so that nobody slips in before its mode is set.
  const umask = process.umask(0o177);
  server.listen(path);
  await listening.finally(() => process.umask(umask));
}
