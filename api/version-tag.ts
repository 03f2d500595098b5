// Tags that are semantic versions: Cedar has no patterns to recognise one, so the context says it.

/** Source: semver.org, "Is there a suggested regular expression"; a tag has no `+`, and often a `v`. */
const pattern =
  /^v?(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?$/;

export type Version = { major: number; minor: number; patch: number; prerelease: string };

/** `1.2.3`, `v1.2.3` or `1.2.3-rc.1`; undefined for any other tag. */
export function versionOf(tag: string | undefined): Version | undefined {
  const [, major, minor, patch, prerelease = ''] = pattern.exec(tag ?? '') ?? [];
  return major === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor), patch: Number(patch), prerelease };
}
