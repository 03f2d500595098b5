// Platforms as `os/architecture[/variant]`: read from what a user types and from descriptors, and compared.

import { SourceProblem } from './source-problem.ts';

const form = /^[\w.-]{1,64}\/[\w.-]{1,64}(\/[\w.-]{1,64})?$/;

/** What build tools list attestations under. */
export const isNoPlatform = (platform: string | undefined): boolean => platform === 'unknown/unknown';

/** Undefined where a descriptor, or a config, does not say both. */
export function platformOf({
  os,
  architecture,
  variant,
}: {
  os?: unknown;
  architecture?: unknown;
  variant?: unknown;
}): string | undefined {
  if (typeof os !== 'string' || typeof architecture !== 'string') {
    return undefined;
  }
  const platform = [os, architecture, ...(typeof variant === 'string' && variant ? [variant] : [])].join('/');
  return form.test(platform) ? platform : undefined;
}

/** The names that users have for an architecture, as Go has them. Source: containerd/platforms, normalizeArch. */
const architectures: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
]);

/** The variant that is meant where none is said. Source: containerd/platforms, normalizeArch. */
const usualVariants: ReadonlyMap<string, string> = new Map([
  ['arm64', 'v8'],
  ['arm', 'v7'],
  ['amd64', 'v1'],
]);

function partsOf(platform: string) {
  const [os = '', named = '', variant] = platform.toLowerCase().split('/');
  const architecture = architectures.get(named) ?? named;
  return { os, architecture, variant: variant ?? usualVariants.get(architecture) ?? '' };
}

/** @throws SourceProblem for what is no platform */
export function readPlatform(text: string): string {
  if (form.test(text)) {
    return text;
  }
  throw new SourceProblem(`${text} is no platform: it is OS/ARCHITECTURE[/VARIANT], such as linux/amd64`);
}

/** Whether it is the very platform, with its usual variant where one of them says none. */
export function isSamePlatform(one: string, other: string): boolean {
  const [left, right] = [partsOf(one), partsOf(other)];
  return left.os === right.os && left.architecture === right.architecture && left.variant === right.variant;
}

/** Whether it is of the platform that was asked for, in any variant where none was. */
export function isOfPlatform(platform: string, asked: string): boolean {
  const [has, wants] = [partsOf(platform), partsOf(asked)];
  const isAnyVariant = asked.split('/').length < 3;
  return (
    has.os === wants.os &&
    has.architecture === wants.architecture &&
    (isAnyVariant || has.variant === wants.variant)
  );
}
