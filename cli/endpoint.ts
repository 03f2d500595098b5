// The options that say where the proxy is, and to which of ECR's registries a command pushes with which token.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { isRegistry, type Registry } from '../api/registries.ts';
import { endpointUrlOf, type ProxyEndpoint } from '../client/endpoint-url.ts';
import { CommandError } from './failure.ts';
import { type TokenFlags, tokenOptions } from './token.ts';

const endpointVariable = 'ECR_UPLOAD_PROXY_ENDPOINT';

export type EndpointFlags = { endpoint: string; allowCleartext?: boolean };

/** The flags of a command that pushes. */
export type PushingFlags = EndpointFlags & TokenFlags & { registry: Registry; registryId?: string };

const endpointOption = () =>
  new Option('--endpoint <url>', 'the URL of the proxy, with its stage: the output ProxyUrl of its stack')
    .env(endpointVariable)
    .makeOptionMandatory();

const allowCleartextOption = () =>
  new Option(
    '--allow-cleartext',
    'send the token over plain http to another machine, where the network in between can read it',
  );

/** Checks the endpoint before the command does anything else. @throws CommandError */
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

/** The options of {@link PushingFlags}. */
export function addPushingOptions(command: Command): Command {
  const options = [
    endpointOption(),
    allowCleartextOption(),
    ...tokenOptions(),
    new Option('--registry <registry>', 'ecr or ecr-public').default('ecr', 'ecr').argParser(readRegistry),
    new Option('--registry-id <id>', 'the AWS account whose registry it is; by default the proxy’s own'),
  ];
  for (const option of options) {
    command.addOption(option);
  }
  return command;
}
