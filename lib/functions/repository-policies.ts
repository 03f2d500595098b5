// How the repositories of a role are split among IAM policies, whose length is limited.

import { Aws } from 'aws-cdk-lib';
import type { Registry } from '../../api/registries.ts';
import { type Configuration, configuredRegistries } from '../configuration/configuration.ts';

export type RepositoryAccess = Pick<Configuration, 'repositories'> & {
  /** Accounts whose registries may be reached, besides the stack's own. */
  registryIds: readonly string[];
};

/**
 * Of the repositories in one policy: a managed policy has up to 6,144 characters, the inline policies of a role
 * have 10,240 together. Source: the IAM user guide, "IAM and AWS STS quotas".
 */
const maxRepositoryCharacters = 5_500;

/** What an ARN has besides the repository's name, with its quotes, in any partition and region. */
const arnCharacters = 80;

export type Repository = { registry: Registry; account: string; name: string };

const charactersOf = ({ name }: Repository) => arnCharacters + name.length;

/** Every repository of the configuration in every account, a registry after the other. */
export const repositoriesOf = ({ repositories, registryIds }: RepositoryAccess): Repository[] =>
  configuredRegistries({ repositories }).flatMap((registry) =>
    [Aws.ACCOUNT_ID, ...registryIds].flatMap((account) =>
      (repositories[registry] ?? []).map((name) => ({ registry, account, name })),
    ),
  );

/** In lists of one registry each, short enough for one policy. */
export function splitIntoPolicies(repositories: readonly Repository[]): Repository[][] {
  const lists: Repository[][] = [];
  let used = 0;
  for (const repository of repositories) {
    const last = lists.at(-1);
    used += charactersOf(repository);
    if (last?.[0]?.registry === repository.registry && used <= maxRepositoryCharacters) {
      last.push(repository);
    } else {
      lists.push([repository]);
      used = charactersOf(repository);
    }
  }
  return lists;
}

/** Whether they fit into the role's inline policy, together with its other statements. */
export const areInline = (repositories: readonly Repository[]): boolean =>
  repositories.reduce((sum, repository) => sum + charactersOf(repository), 0) <= maxRepositoryCharacters;
