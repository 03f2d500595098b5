// Names of images as tools write them: `[HOST/]PATH[:TAG][@DIGEST]`, and what of one is a tag.

const tagForm = /^\w[\w.-]{0,127}$/;
/** What tools write that take a digest for a tag. */
const hexForm = /^[0-9a-f]{64}$/;

/** What somebody says is a tag: 64 hexadecimal digits are one as well, as of the image of a registry endpoint. */
export const isTag = (text: string): boolean => tagForm.test(text);

/** What a tool has written in a tag's place. */
const isMeantAsTag = (text: string): boolean => isTag(text) && !hexForm.test(text);

type Reference = { path: string; tag?: string | undefined; digest?: string | undefined };

/** A colon before the last slash is a port's. */
function readReference(name: string): Reference {
  const [named = '', digest] = name.split('@', 2);
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  if (colon < 0) {
    return { path: named, digest };
  }
  const tag = named.slice(colon + 1);
  return { path: named.slice(0, colon), tag: isMeantAsTag(tag) ? tag : undefined, digest };
}

/** The tag of `NAME:TAG` and of `NAME:TAG@DIGEST`; a name without one has none. */
export const tagOfReference = (name: string): string | undefined => readReference(name).tag;

/**
 * The tag of an `org.opencontainers.image.ref.name`, which is a tag alone, also before a digest, or a whole reference.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
 */
export function tagOfRefName(name: string): string | undefined {
  const [alone = ''] = name.split('@', 1);
  return isMeantAsTag(alone) ? alone : tagOfReference(name);
}

/** The tag of an `io.containerd.image.name`: a whole reference, or `TAG@DIGEST`. */
export const tagOfContainerdName = (name: string): string | undefined =>
  /^[^/:@]+@/.test(name) ? tagOfRefName(name) : tagOfReference(name);

/** Whether `asked`, which may leave out the host and the first folders, and the tag, means this name. */
export function isNamed(name: string, asked: string): boolean {
  const [has, wants] = [readReference(name), readReference(asked)];
  const isItsPath = has.path === wants.path || has.path.endsWith(`/${wants.path}`);
  return wants.path !== '' && isItsPath && (wants.tag === undefined || wants.tag === has.tag);
}
