// Which quotas a request is counted against, and in which counter each. Pure.

import type { Quota, Unit } from '../../api/quotas.ts';
import type { DecisionRequest } from '../../policy/entities.ts';

/** A quota that a request is counted against; `counter` identifies the client, issuer or repository it counts. */
export type Applied = { name: string; counter: string; limit: number };

type Who = Pick<DecisionRequest, 'principal' | 'resource'>;

const limitOf = ({ bytesPerDay, imagesPerDay }: Quota, unit: Unit) =>
  ({ bytes: bytesPerDay, images: imagesPerDay })[unit];

/** The counter of this request, or undefined where the quota does not apply to it. */
function counterOf({ client, namespace }: Quota, { principal, resource }: Who): string | undefined {
  const isClient = client === '*' || (principal.type === 'Client' && principal.id === client);
  if (isClient) {
    return `${principal.type}::${principal.id}`;
  }
  const { registry, registryId, namespace: own } = resource.attrs;
  return namespace === '*' || namespace === own ? `${registry}/${registryId}/${own}` : undefined;
}

export const quotasOf = (all: readonly Quota[], who: Who, unit: Unit): Applied[] =>
  all.flatMap((one) => {
    const limit = limitOf(one, unit);
    const counter = counterOf(one, who);
    return limit === undefined || counter === undefined ? [] : [{ name: one.name, counter, limit }];
  });
