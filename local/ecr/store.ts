// All repositories of one account below one directory, found by registry, registry id and name.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Downloads } from './downloads.ts';
import { EcrError } from './errors.ts';
import { type RegistryName, registryNames } from './registries.ts';
import { Repository } from './repository.ts';
import type { ImageTagMutability } from './repository-state.ts';

export type RepositoryListing = {
  readonly registry: RegistryName;
  readonly repositoryName: string;
  readonly imageTagMutability?: ImageTagMutability;
};

export class Store {
  readonly accountId: string;
  readonly publicAlias: string;
  readonly downloads = new Downloads();
  readonly #dataDirectory: string;
  readonly #repositories = new Map<string, Repository>();

  constructor(dataDirectory: string, accountId: string, publicAlias: string) {
    this.#dataDirectory = dataDirectory;
    this.accountId = accountId;
    this.publicAlias = publicAlias;
  }

  /** Opens what is there, then creates what is listed and absent. The listing decides on tag mutability. */
  async load(listings: readonly RepositoryListing[]): Promise<void> {
    for (const registry of registryNames) {
      await this.#openAll(registry);
    }
    for (const listing of listings) {
      await this.#ensure(listing);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#repositories.values()].map((repository) => repository.close()));
  }

  /** A repository by its name alone, in the account's own registry. */
  repository(registry: RegistryName, repositoryName: string): Repository | undefined {
    return this.#repositories.get(`${registry}/${repositoryName}`);
  }

  /** @throws {EcrError} RepositoryNotFoundException; RegistryNotFoundException (public registry only) */
  find(registry: RegistryName, repositoryName: string, registryId = this.accountId): Repository {
    const isOurs =
      registryId === this.accountId || (registry === 'ecr-public' && registryId === this.publicAlias);
    if (!isOurs && registry === 'ecr-public') {
      throw new EcrError('RegistryNotFoundException', `The registry with id '${registryId}' does not exist`);
    }
    const repository = isOurs ? this.repository(registry, repositoryName) : undefined;
    if (repository) {
      return repository;
    }
    throw new EcrError(
      'RepositoryNotFoundException',
      `The repository with name '${repositoryName}' does not exist in the registry with id '${registryId}'`,
    );
  }

  async #openAll(registry: RegistryName): Promise<void> {
    const parent = join(this.#dataDirectory, registry);
    await mkdir(parent, { recursive: true });
    for (const name of await readdir(parent)) {
      const directory = join(parent, name);
      // Without its state a directory is one whose creation was cut short.
      if (existsSync(join(directory, 'state.json'))) {
        this.#add(await Repository.open(directory));
      }
    }
  }

  async #ensure({
    registry,
    repositoryName,
    imageTagMutability = 'MUTABLE',
  }: RepositoryListing): Promise<void> {
    const existing = this.repository(registry, repositoryName);
    if (existing) {
      return existing.commit({ ...existing.state, imageTagMutability });
    }
    const empty = { uploads: new Map(), layers: new Map(), images: new Map(), tags: new Map() };
    const state = { registry, repositoryName, imageTagMutability, ...empty };
    // Names hold slashes and may be longer than a file name may be.
    const directory = createHash('sha256').update(repositoryName).digest('hex');
    this.#add(await Repository.create(join(this.#dataDirectory, registry, directory), state));
  }

  #add(repository: Repository): void {
    const { registry, repositoryName } = repository.state;
    this.#repositories.set(`${registry}/${repositoryName}`, repository);
  }
}
