// The files of a tar archive, read where they lie: nothing is unpacked.

import { posix } from 'node:path';
import type { Files } from './files.ts';
import { bytesOf } from './open-file.ts';
import { type Archive, type TarEntry, type TarFile, type TarOptions, tarEntriesOf } from './tar-entries.ts';
import { byteTextOf, nameOfByteText } from './tar-header.ts';

/** How many links a name may lead over, as on Linux. */
const maxLinks = 40;

/** @throws SourceProblem when it is no tar archive, or a damaged one */
export async function tarFiles(archive: Archive, options: TarOptions = {}): Promise<Files> {
  const { signal } = options;
  const entries = await tarEntriesOf(archive, options);
  return {
    find: async (name) => {
      signal?.throwIfAborted();
      const file = fileAt(entries, byteTextOf(name));
      if (file === undefined) {
        return undefined;
      }
      return {
        name: nameOfByteText(file.place),
        size: file.size,
        open: (fromByte) => contentOf(archive, file, `${name} in the source`, fromByte, signal),
      };
    },
    close: archive.close,
  };
}

/** Follows links, of the file and of the folders that it is in; a link out of the archive leads nowhere. */
function fileAt(entries: ReadonlyMap<string, TarEntry>, name: string): TarFile | undefined {
  let place: string | undefined = name;
  for (let links = 0; place !== undefined && links <= maxLinks; links += 1) {
    const entry = entries.get(place);
    if (entry && 'extents' in entry) {
      return entry;
    }
    if (entry && 'hardLink' in entry) {
      place = entry.hardLink;
    } else if (entry) {
      place = targetOf(place, entry.symbolicLink);
    } else {
      place = overFolder(entries, place);
    }
  }
  return undefined;
}

function overFolder(entries: ReadonlyMap<string, TarEntry>, place: string): string | undefined {
  for (let end = place.indexOf('/'); end >= 0; end = place.indexOf('/', end + 1)) {
    const entry = entries.get(place.slice(0, end));
    if (entry && 'symbolicLink' in entry) {
      return targetOf(place.slice(0, end), entry.symbolicLink, place.slice(end + 1));
    }
  }
  return undefined;
}

/** A path, relative to the link. */
function targetOf(place: string, link: string, rest = ''): string | undefined {
  const target = posix.join(posix.dirname(place), link, rest);
  const isWithin = !posix.isAbsolute(link) && target !== '..' && !target.startsWith('../');
  return isWithin ? target : undefined;
}

const zeros = Buffer.alloc(65_536);

async function* contentOf(
  { file, size: archiveBytes }: Archive,
  { size, extents }: TarFile,
  title: string,
  fromByte: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let at = fromByte;
  const end = { fileOffset: size, archiveOffset: archiveBytes, length: 0 };
  for (const { fileOffset, archiveOffset, length } of [...extents, end]) {
    for (; at < fileOffset; at += Math.min(zeros.length, fileOffset - at)) {
      signal?.throwIfAborted();
      yield zeros.subarray(0, fileOffset - at);
    }
    const skipped = at - fileOffset;
    if (skipped >= length) {
      continue;
    }
    yield* bytesOf(file, title, archiveOffset + skipped, archiveOffset + length, signal);
    at = fileOffset + length;
  }
}
