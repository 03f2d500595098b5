// Unpacks zstd with its authors' own code, compiled to WebAssembly: Node.js has it from 22.15 on, and for one frame only.

import { ZSTDDecoder } from 'zstddec/stream';

type Bytes = AsyncIterable<Uint8Array>;

/**
 * Of any number of frames, also those that readers pass over: pzstd and zstd:chunked layers have many of either.
 * @throws for data that is damaged or cut off
 */
export async function* unzstd(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const waiting: Uint8Array[] = [];
  let takenBytes = 0;
  let idleTurns = 0;
  const taken = function* () {
    for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) {
      takenBytes = chunk.length;
      idleTurns = 0;
      yield chunk;
    }
  };
  const pieces = decoder.decodeStreaming(taken());
  /** A turn that gives nothing takes a byte at least; at damaged data none is taken, for ever. */
  const nextPiece = (): Uint8Array | undefined => {
    const { value, done } = pieces.next();
    if (done) {
      return undefined;
    }
    idleTurns = value.length > 0 ? 0 : idleTurns + 1;
    if (idleTurns > takenBytes) {
      throw new Error('the zstd data is damaged');
    }
    return value;
  };
  for await (const chunk of bytes) {
    if (chunk.length > 0) {
      waiting.push(chunk);
    }
    // What is waiting is taken when the chunk before it has been: it is never asked for what is not there yet.
    while (waiting.length > 0) {
      yield nextPiece() ?? new Uint8Array();
    }
  }
  for (let piece = nextPiece(); piece; piece = nextPiece()) {
    yield piece;
  }
}
