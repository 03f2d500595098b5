// The settings of an endpoint on Fargate that have to lie in the region of the stack.

import type { FargateConfiguration } from './configuration.ts';
import { readImageReference } from './image-reference.ts';
import type { RegionSetting } from './region.ts';

const regionOfArn = (arn: string | undefined) => arn?.split(':')[3];

/** A load balancer takes neither certificate nor web ACL from elsewhere, and VPC endpoints lead to no other region. */
export function fargateRegions({ image, network, domain, webAclArn }: FargateConfiguration): RegionSetting[] {
  const settings: readonly (readonly [member: string, what: string, region: string | undefined])[] = [
    ['domain.certificateArn', 'a certificate', regionOfArn(domain.certificateArn)],
    ['webAclArn', 'a web ACL', regionOfArn(webAclArn)],
    ['image', 'a repository', network ? undefined : readImageReference(image).region],
  ];
  return settings.flatMap(([member, what, region]) =>
    region === undefined
      ? []
      : [
          {
            regions: [region],
            expected: `registryEndpoint.${member}: expected ${what} in the region of the stack, not in ${region}`,
          },
        ],
  );
}
