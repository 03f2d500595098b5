// Reads a named pipe, or one that a shell made for `<(…)`.

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { unreadable } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';

/**
 * As a socket: waiting for who writes into it holds up no thread, so that it can be ended.
 * @throws SourceProblem for what is no pipe
 */
export function openPipe(path: string): Socket {
  const fd = openNow(path);
  if (fstatSync(fd).isFIFO()) {
    return new Socket({ fd, readable: true, writable: false });
  }
  closeSync(fd);
  throw new SourceProblem(`${path} is neither a folder nor a file nor a pipe`);
}

function openNow(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(path, error);
  }
}
