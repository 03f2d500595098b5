// Appends to a log on the disk. When that is full the text is lost, and what wrote it goes on.

import { appendFileSync } from 'node:fs';

export function appendTo(logFile: string, text: string | Uint8Array): void {
  try {
    appendFileSync(logFile, text);
  } catch {
    // There is nowhere else to say it: what is logged is also what a request waits for.
  }
}
