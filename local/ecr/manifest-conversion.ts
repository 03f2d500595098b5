// What ECR makes of a manifest that is read by a tag and has none of the accepted media types. Pure.

type Typed = { readonly text: string; readonly mediaType: string };

/** Docker's schema 2 in the words of OCI: the parts of an image that have a name in either. */
const ociNames = new Map([
  ['application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.oci.image.manifest.v1+json'],
  ['application/vnd.docker.container.image.v1+json', 'application/vnd.oci.image.config.v1+json'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
]);
const dockerNames = new Map([...ociNames].map(([docker, oci]) => [oci, docker]));

const renamings = new Map([
  ['application/vnd.docker.distribution.manifest.v2+json', ociNames],
  ['application/vnd.oci.image.manifest.v1+json', dockerNames],
]);

/**
 * Between Docker's schema 2 and OCI's image manifest. Schema 1, which ECR converts to as well, is not modelled, nor is
 * a list: both stay as they are.
 */
export function convertManifest(stored: Typed, accepted: readonly string[] | undefined): Typed {
  const names = renamings.get(stored.mediaType);
  const mediaType = names?.get(stored.mediaType);
  const isNeeded = accepted !== undefined && !accepted.includes(stored.mediaType);
  if (!names || mediaType === undefined || !isNeeded || !accepted.includes(mediaType)) {
    return stored;
  }
  const text = JSON.stringify(JSON.parse(stored.text), (key, value: unknown) =>
    key === 'mediaType' && typeof value === 'string' ? (names.get(value) ?? value) : value,
  );
  return { text, mediaType };
}
