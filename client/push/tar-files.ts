// The files of a tar archive, read where they lie: nothing is unpacked.

import type { Files, SourceFile } from './files.ts';
import { bytesOf } from './open-file.ts';
import { type Archive, tarEntriesOf } from './tar-entries.ts';

/** How many links a name may lead over, as on Linux. */
const maxLinks = 40;

/** @throws SourceProblem when it is no tar archive, or a damaged one */
export async function tarFiles(archive: Archive, signal?: AbortSignal): Promise<Files> {
  const entries = await tarEntriesOf(archive, signal);
  const find = (name: string, links = 0): SourceFile | undefined => {
    const entry = entries.get(name);
    if (entry === undefined) return undefined;
    if ('link' in entry)
      return entry.link === undefined || links === maxLinks ? undefined : find(entry.link, links + 1);
    const { offset, size } = entry;
    const open = (fromByte: number) =>
      bytesOf(archive.file, `${name} in the source`, offset + fromByte, offset + size, signal);
    return { name, size, open };
  };
  return {
    find: async (name) => {
      signal?.throwIfAborted();
      return find(name);
    },
    close: archive.close,
  };
}
