// Members of the configuration that are right by themselves, and wrong together.

import { isLoopbackUrl } from '../../api/issuers.ts';
import { registryEndpointConflicts } from '../registry-endpoint/configuration.ts';
import type { Members } from './members.ts';

type Conflict = { path: (string | number)[]; message: string };

const wholeRegistries = ({ repositories, allowEveryRepository }: Members): Conflict[] =>
  Object.entries(repositories).flatMap(([registry, list]) =>
    [...(list?.entries() ?? [])]
      .filter(([, name]) => name.startsWith('*') && !allowEveryRepository)
      .map(([index]) => ({
        path: ['repositories', registry, index],
        message: 'a pattern that begins with a letter or a digit, or allowEveryRepository: true',
      })),
  );

const loopbackIssuers = ({ issuers: list, allowLoopbackIssuers }: Members): Conflict[] =>
  [...list.entries()]
    .filter(([, { issuer, jwksUri }]) => !allowLoopbackIssuers && [issuer, jwksUri ?? ''].some(isLoopbackUrl))
    .map(([index]) => ({ path: ['issuers', index], message: 'https URLs, or allowLoopbackIssuers: true' }));

/** Each place where members that are right by themselves are wrong together. */
export const conflictsOf = (configuration: Members): Conflict[] => [
  ...wholeRegistries(configuration),
  ...loopbackIssuers(configuration),
  ...registryEndpointConflicts(configuration),
  ...(configuration.vpcEndpointIds && configuration.domain
    ? [
        {
          path: ['domain'],
          message: 'nothing where vpcEndpointIds are given: the domain would be a public one',
        },
      ]
    : []),
  ...(configuration.webAclArn && configuration.clientThrottling
    ? [
        {
          path: ['clientThrottling'],
          message:
            'nothing where webAclArn is given, for an API has one web ACL: put rate-based rules into yours',
        },
      ]
    : []),
];
