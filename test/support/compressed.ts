// Bytes in each compression that a layer or an archive may have; xz and bzip2, which Node.js does not write, as they are.

import { gzipSync, zstdCompressSync } from 'node:zlib';

/** What {@link compressedLayers} are of. */
export const layer = 'layer';

export const compressedLayers = {
  gzip: gzipSync(layer),
  zstd: zstdCompressSync(layer),
  xz: Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAEbGF5ZXIAAAAA+JUstt9C7R4AAR0FuC2Arx+2830BAAAAAARZWg==',
    'base64',
  ),
  bzip2: Buffer.from('QlpoOTFBWSZTWXuNo30AAAEBgCIEECAgADDNAMGlAOLuSKcKEg9xtG+g', 'base64'),
} as const;

/** 300,000 zeros, as `bzip2 -1` and `xz` have them: in a few bytes. */
export const compressedZeros = {
  bytes: Buffer.alloc(300_000),
  bzip2: Buffer.from('QlpoMTFBWSZTWd9HTW8AAkxAgMAABAAACCAAMMwFKaYURsRRHi7kinChIb6Omt4=', 'base64'),
  xz: Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj5JPfAG9dAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGw1jEDBAAAAH58pcZX/q9AAAYsB4KcSAHhj/vixxGf7AgAAAAAEWVo=',
    'base64',
  ),
} as const;

/** A frame that zstd's readers pass over. */
export function skippedFrame(content: string): Buffer {
  const head = Buffer.from('502a4d1800000000', 'hex');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}
