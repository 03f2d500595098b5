// How a command is told where the proxy is, and which of ECR's registries it pushes to.

import { InvalidArgumentError, Option } from 'commander';
import { isRegistry, type Registry } from '../api/registries.ts';
import { endpointUrlOf, type ProxyEndpoint } from '../client/endpoint-url.ts';
import { CommandError } from './failure.ts';

export const endpointVariable = 'ECR_UPLOAD_PROXY_ENDPOINT';

export type EndpointFlags = { endpoint: string; allowCleartext?: boolean };

export const endpointOption = () =>
  new Option('--endpoint <url>', 'where the proxy is, a stage included: the output ProxyUrl of its stack')
    .env(endpointVariable)
    .makeOptionMandatory();

export const allowCleartextOption = () =>
  new Option(
    '--allow-cleartext',
    'send the token over plain http to another machine, for all on the way to read',
  );

/** The endpoint of a command, before it does anything else. @throws CommandError */
export function proxyEndpointOf({ endpoint, allowCleartext }: EndpointFlags): ProxyEndpoint {
  try {
    return { endpoint: endpointUrlOf({ endpoint, allowCleartext }), allowCleartext };
  } catch (error) {
    if (!(error instanceof TypeError)) {
      throw error;
    }
    throw new CommandError(`--endpoint: ${error.message}.`, { exitStatus: 2, cause: error });
  }
}

function readRegistry(name: string): Registry {
  if (isRegistry(name)) {
    return name;
  }
  throw new InvalidArgumentError('It is ecr or ecr-public.');
}

export const registryOption = () =>
  new Option('--registry <registry>', 'ecr or ecr-public').default('ecr', 'ecr').argParser(readRegistry);

export const registryIdOption = () =>
  new Option('--registry-id <id>', "the account whose registry it is, where it is not the proxy's own");
