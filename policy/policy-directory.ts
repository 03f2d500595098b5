// Reads the files of a policy directory, wherever they are read: when they are checked, deployed, and loaded.

import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

export const schemaFile = 'schema.cedarschema';

/** As tools on Windows begin a file. Cedar takes it for a part of the text, and refuses it. */
const byteOrderMark = Buffer.from('\uFEFF');

/**
 * Follows links, and waits for no pipe. What is not UTF-8 would be read as another text than it is. A byte order mark is
 * left out, also of what deploys.
 */
function readWhole(path: string): Buffer {
  if (!statSync(path).isFile()) {
    throw new Error('it is not a file');
  }
  const bytes = readFileSync(path);
  if (!isUtf8(bytes)) {
    throw new Error('it is not UTF-8');
  }
  return bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? bytes.subarray(byteOrderMark.length)
    : bytes;
}

/** @throws Error naming the file and what is wrong with it */
export function readPolicyFile(path: string): Buffer {
  try {
    return readWhole(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'for a reason unknown';
    throw new Error(`${basename(path)} cannot be read: ${reason}`, { cause: error });
  }
}
