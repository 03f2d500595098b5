// How a command is told where the proxy is, and which of ECR's registries it pushes to.

import { InvalidArgumentError, Option } from 'commander';
import { isRegistry, type Registry } from '../lambda/registries.ts';

export const endpointVariable = 'ECR_UPLOAD_PROXY_ENDPOINT';

export const endpointOption = () =>
  new Option('--endpoint <url>', 'where the proxy is, a stage included: the output ProxyUrl of its stack')
    .env(endpointVariable)
    .makeOptionMandatory();

const readRegistry = (name: string): Registry => {
  if (isRegistry(name)) return name;
  throw new InvalidArgumentError('It is ecr or ecr-public.');
};

export const registryOption = () =>
  new Option('--registry <registry>', 'ecr or ecr-public').default('ecr', 'ecr').argParser(readRegistry);

export const registryIdOption = () =>
  new Option('--registry-id <id>', "the account whose registry it is, where it is not the proxy's own");
