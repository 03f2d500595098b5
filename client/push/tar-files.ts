// The files of a tar archive, read where they lie: nothing is unpacked.

import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { Files } from './files.ts';
import { type TarEntry, tarEntriesOf } from './tar-entries.ts';

/** How many links a name may lead over. */
const maxLinks = 8;

export async function tarFiles(path: string): Promise<Files> {
  const entries = await tarEntriesOf(path);
  const find = (name: string, links = 0): TarEntry | undefined => {
    const entry = entries.get(name);
    return entry?.link === undefined || links === maxLinks ? entry : find(entry.link, links + 1);
  };
  const open = (name: string, fromByte: number) => {
    const { offset, size } = find(name) ?? { offset: 0, size: 0 };
    if (fromByte >= size) return (async function* () {})();
    return createReadStream(path, { start: offset + fromByte, end: offset + size - 1 });
  };
  return {
    size: async (name) => find(name)?.size,
    read: (name) => buffer(open(name, 0)),
    open,
    close: async () => {},
  };
}
