// OCI layouts as the field's tools write them, made by code: images, indexes and artifacts with what lists them.

import type { Member } from './hostile-archives.ts';
import { digestOf } from './random-bytes.ts';

const oci = 'application/vnd.oci.image';
export const mediaTypes = {
  manifest: `${oci}.manifest.v1+json`,
  index: `${oci}.index.v1+json`,
  config: `${oci}.config.v1+json`,
  layer: `${oci}.layer.v1.tar`,
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

export type Descriptor = { mediaType: string; digest: string; size: number; [member: string]: unknown };

/** Makes blobs and manifests, each other than all before, and then the files of a layout that lists some of them. */
export class LayoutMembers {
  readonly #blobs = new Map<string, string>();
  #made = 0;

  blob(content: string, mediaType: string): Descriptor {
    const digest = digestOf(content);
    this.#blobs.set(digest, content);
    return { mediaType, digest, size: Buffer.byteLength(content) };
  }

  /** @param platform `os/architecture[/variant]`, in its config alone */
  image(platform = 'linux/amd64', members: object = {}): Descriptor {
    const [os, architecture, variant] = platform.split('/');
    this.#made += 1;
    const layer = this.blob(`layer ${this.#made}`, mediaTypes.layer);
    const config = { os, architecture, variant, rootfs: { type: 'layers', diff_ids: [layer.digest] } };
    return this.manifest({
      config: this.blob(JSON.stringify(config), mediaTypes.config),
      layers: [layer],
      ...members,
    });
  }

  artifact(subject: Descriptor | undefined): Descriptor {
    this.#made += 1;
    return this.manifest({
      artifactType: 'application/vnd.example.sbom',
      config: this.blob('{}', mediaTypes.empty),
      layers: [this.blob(`artifact ${this.#made}`, 'application/vnd.example.sbom')],
      subject,
    });
  }

  manifest(members: object, mediaType: string = mediaTypes.manifest): Descriptor {
    return this.blob(JSON.stringify({ schemaVersion: 2, mediaType, ...members }), mediaType);
  }

  index(manifests: readonly object[]): Descriptor {
    return this.manifest({ manifests }, mediaTypes.index);
  }

  /** @param without what is not in the layout, though something names it: a manifest goes with its own layer */
  files(roots: readonly object[], without: readonly Descriptor[] = []): Member[] {
    const absent = new Set(without.map(({ digest }) => digest));
    const blobs = [...this.#blobs].filter(([digest]) => !absent.has(digest));
    return [
      { name: 'oci-layout', bytes: '{"imageLayoutVersion":"1.0.0"}' },
      { name: 'index.json', bytes: JSON.stringify({ schemaVersion: 2, manifests: roots }) },
      ...blobs.map(([digest, bytes]) => ({ name: `blobs/sha256/${digest.slice(7)}`, bytes })),
    ];
  }
}

/** As OCI names an entry of index.json: by its tag, or by what else a tool writes there. */
export const named = (descriptor: Descriptor, refName: string): Descriptor => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': refName },
});

/** As containerd and docker name it: whole, and by its tag. */
export const fullyNamed = (descriptor: Descriptor, name: string, refName?: string): Descriptor => ({
  ...descriptor,
  annotations: {
    'io.containerd.image.name': name,
    ...(refName !== undefined && { 'org.opencontainers.image.ref.name': refName }),
  },
});

export function onPlatform(descriptor: Descriptor, platform: string): Descriptor {
  const [os, architecture, variant] = platform.split('/');
  return { ...descriptor, platform: { os, architecture, ...(variant && { variant }) } };
}

export const ofKind = (descriptor: Descriptor, kind: string, refName?: string): Descriptor => ({
  ...descriptor,
  annotations: { kind, ...(refName !== undefined && { 'org.opencontainers.image.ref.name': refName }) },
});
