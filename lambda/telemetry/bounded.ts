// Cuts text from outside to the size that an answer or a log line may have.

/** Long enough for any sentence of the proxy's own, and for most of a stack. */
const maxTextCharacters = 2_048;

/** The greatest depth that is written: a failure that is its own cause would have no end. */
const maxDepth = 8;

export const short = (text: string, maxCharacters: number): string =>
  text.length > maxCharacters ? `${text.slice(0, maxCharacters).toWellFormed()}…` : text;

/** Takes what there is room for, in bytes of JSON. */
type Room = { bytes: number };

function takes(room: Room, json: string): boolean {
  const bytes = Buffer.byteLength(json);
  if (bytes > room.bytes) {
    return false;
  }
  room.bytes -= bytes;
  return true;
}

function leafOf(value: unknown, room: Room): unknown {
  const leaf = typeof value === 'string' ? short(value, maxTextCharacters) : value;
  const json: string | undefined = JSON.stringify(leaf);
  return json !== undefined && takes(room, json) ? leaf : undefined;
}

function listOf(values: readonly unknown[], room: Room, depth: number): readonly unknown[] {
  const kept: unknown[] = [];
  for (const value of values) {
    const copy = takes(room, ',') ? copyOf(value, room, depth) : undefined;
    if (copy === undefined) {
      break;
    }
    kept.push(copy);
  }
  return kept;
}

function membersOf(value: object, room: Room, depth: number): Readonly<Record<string, unknown>> {
  const kept: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) {
      continue;
    }
    const key = short(name, maxTextCharacters);
    if (!takes(room, `${JSON.stringify(key)}:,`)) {
      break;
    }
    const copy = copyOf(member, room, depth);
    if (copy !== undefined) {
      kept.push([key, copy]);
    }
  }
  return Object.fromEntries(kept);
}

function copyOf(value: unknown, room: Room, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    return leafOf(value, room);
  }
  if (depth === 0 || !takes(room, '{}')) {
    return undefined;
  }
  return Array.isArray(value) ? listOf(value, room, depth - 1) : membersOf(value, room, depth - 1);
}

/**
 * The members of an object in their order, each text cut, until they are `maxBytes` of JSON; what comes after
 * that is left out.
 */
export const bounded = (members: object, maxBytes: number): Readonly<Record<string, unknown>> =>
  membersOf(members, { bytes: maxBytes - '{}'.length }, maxDepth);
