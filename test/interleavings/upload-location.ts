// What the Location of an upload at the registry endpoint says, as far as tests may know.

const referenceOf = (location: string): string => location.slice(location.lastIndexOf('/') + 1);

export const positionOf = (location: string): number => Number.parseInt(referenceOf(location), 10);

/** ECR's own id of the upload; it is sealed, and begins with it. None before the first byte. */
export function ecrIdOf(location: string): string {
  const reference = referenceOf(location);
  return positionOf(reference) === 0 ? '' : reference.slice(reference.indexOf('-') + 1).slice(0, 36);
}
