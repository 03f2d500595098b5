// How many bytes what is small in a source may become.

const MiB = 1_048_576;

/** What is written into the temporary folder. */
export const maxSpooledBytes = 16 * 1_024 * MiB;

/** What everything compressed may grow to, and how much larger it may: images grow three to five times. */
const alwaysUnpackedBytes = 256 * MiB;
const maxRatio = 200;

export const maxUnpackedOf = (compressedBytes: number): number =>
  Math.max(alwaysUnpackedBytes, maxRatio * compressedBytes);

/** What a user does about it. */
export const trusted = 'if you trust it, give a larger --max-unpacked-size';
