// Archives and folders that mislead a reader, made by code: one entry, or one document, after the other.

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const blockBytes = 512;

export type Member = {
  name: string;
  bytes?: Uint8Array | string;
  /** `0` is a file, `1` a hard link, `2` a symbolic link, `5` a directory, `x` a pax header. */
  type?: string;
  link?: string;
  /** The twelve bytes of the size field, where they are not what `bytes` has. */
  size?: Uint8Array | string;
  /** Written over the header before its checksum is made. */
  patch?: (header: Buffer) => void;
};

/** The header's checksum: its bytes' sum, with the field itself as spaces. */
export function seal(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

export function headerOf({ name, bytes = '', type = '0', link = '', size, patch }: Member): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${Buffer.byteLength(bytes).toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\u000000', 257, 'latin1');
  if (size !== undefined) {
    header.fill(0, 124, 136).set(Buffer.from(size).subarray(0, 12), 124);
  }
  patch?.(header);
  return seal(header);
}

function padded(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([content, Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)]);
}

export const tarOf = (members: readonly Member[], end = Buffer.alloc(2 * blockBytes)): Buffer =>
  Buffer.concat([...members.flatMap((member) => [headerOf(member), padded(member.bytes ?? '')]), end]);

/** A member before another, whose name, size or link it says; records of one key may be several. */
export const paxMember = (
  records: Record<string, string | Uint8Array> | [key: string, value: string][],
): Member => ({
  name: 'PaxHeaders/0',
  type: 'x',
  bytes: Buffer.concat(
    (Array.isArray(records) ? records : Object.entries(records)).map(([key, value]) =>
      paxRecord(key, Buffer.from(value)),
    ),
  ),
});

function paxRecord(key: string, value: Buffer): Buffer {
  const length = ` ${key}=\n`.length + value.length;
  const digits = String(length + String(length + String(length).length).length).length;
  return Buffer.concat([Buffer.from(`${length + digits} ${key}=`), value, Buffer.from('\n')]);
}

export const sha256Of = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image as `docker save` wrote it before it wrote layouts; a document that is given stands for its own. */
export function savedImage(
  documents: { manifest?: unknown; config?: unknown; layer?: Uint8Array | string; tag?: string } = {},
): Member[] {
  const { layer = 'layer', tag = 'app:1.0' } = documents;
  const config = textOf(documents.config ?? { rootfs: { type: 'layers', diff_ids: [sha256Of(layer)] } });
  const manifest = textOf(
    documents.manifest ?? [{ Config: 'config.json', RepoTags: [tag], Layers: ['one/layer.tar'] }],
  );
  return [
    { name: 'one/layer.tar', bytes: layer },
    { name: 'config.json', bytes: config },
    { name: 'manifest.json', bytes: manifest },
  ];
}

const textOf = (document: unknown): string | Uint8Array =>
  typeof document === 'string' || document instanceof Uint8Array ? document : JSON.stringify(document);

/** A layout of one artifact that has a layer; what is given of its documents stands for its own. */
export function layout(documents: { index?: unknown; manifest?: unknown; refName?: unknown } = {}): Member[] {
  const layer = 'layer';
  const blob = (bytes: string, mediaType: string) => ({
    mediaType,
    digest: sha256Of(bytes),
    size: bytes.length,
  });
  const manifest = textOf(
    documents.manifest ?? {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: blob('{}', 'application/vnd.oci.empty.v1+json'),
      layers: [blob(layer, 'application/vnd.oci.image.layer.v1.tar')],
    },
  );
  const root = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: sha256Of(manifest),
    size: Buffer.byteLength(manifest),
    annotations: { 'org.opencontainers.image.ref.name': documents.refName ?? '1.0' },
  };
  return [
    { name: 'oci-layout', bytes: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', bytes: textOf(documents.index ?? { schemaVersion: 2, manifests: [root] }) },
    ...[layer, '{}', manifest].map((bytes) => ({
      name: `blobs/sha256/${sha256Of(bytes).slice(7)}`,
      bytes,
    })),
  ];
}

/** The same as files below a folder. */
export async function writeMembers(directory: string, members: readonly Member[]): Promise<string> {
  for (const { name, bytes = '' } of members) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), bytes);
  }
  return directory;
}
