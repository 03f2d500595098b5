// The registry endpoint on the host that the configuration names.

import type { Construct } from 'constructs';
import type { RegistryEndpointConfiguration } from './configuration.ts';
import { FargateEndpoint } from './fargate-endpoint.ts';
import type { Host, HostProps } from './host.ts';
import { WebFunctionEndpoint } from './web-function-endpoint.ts';

export const newRegistryEndpoint = (
  scope: Construct,
  id: string,
  endpoint: RegistryEndpointConfiguration,
  props: HostProps,
): Host =>
  endpoint.host === 'fargate'
    ? new FargateEndpoint(scope, id, endpoint, props)
    : new WebFunctionEndpoint(scope, id, endpoint, props);
