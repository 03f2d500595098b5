// The registry's port over HTTP: one client's pushes go through the uploader, and what it asks is asked of the proxy.

import { partSize } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import {
  type Caller,
  type ImageReference,
  type IncomingBytes,
  type NewManifest,
  PortError,
  type RegistryPort,
} from '../../registry/port.ts';
import type { Send } from '../layer-upload.ts';
import type { Identity } from './identities.ts';
import { LayerRun } from './layer-run.ts';
import { asPortErrors } from './port-errors.ts';
import { readDownloadUrl, readManifest, readReferrers, readTags } from './reads.ts';
import type { UploadSessions } from './upload-sessions.ts';

export type BridgeRegistryOptions = {
  sessions: UploadSessions;
  registry: Registry;
  registryId: string | undefined;
};

export class BridgeRegistry implements RegistryPort {
  readonly client: string;
  /** Each of them is one part then. */
  readonly minChunkBytes = partSize;
  readonly #identity: Identity;
  readonly #signal: AbortSignal;
  readonly #options: BridgeRegistryOptions;

  constructor(
    identity: Identity,
    { abortSignal }: Pick<Caller, 'abortSignal'>,
    options: BridgeRegistryOptions,
  ) {
    this.client = identity.key;
    this.#identity = identity;
    this.#signal = abortSignal;
    this.#options = options;
  }

  begin(repositoryName: string) {
    return asPortErrors(this.#sessions.begin(this.#owner(repositoryName)));
  }

  append(repositoryName: string, reference: string, incoming: IncomingBytes) {
    return asPortErrors(this.#sessions.append(this.#owner(repositoryName), reference, incoming));
  }

  /** An end whose answer was lost comes again: its upload is no more, and its layer is there. */
  async finish(repositoryName: string, reference: string, digest: string, incoming: IncomingBytes) {
    try {
      await asPortErrors(this.#sessions.finish(this.#owner(repositoryName), reference, digest, incoming));
    } catch (error) {
      if (!isUnknownUpload(error) || !(await this.hasBlob(repositoryName, digest))) {
        throw error;
      }
    }
  }

  async status(repositoryName: string, reference: string) {
    return this.#sessions.status(this.#owner(repositoryName), reference);
  }

  async cancel(repositoryName: string, reference: string) {
    this.#sessions.cancel(this.#owner(repositoryName), reference);
  }

  async hasBlob(repositoryName: string, layerDigest: string) {
    const layer = await asPortErrors(
      this.#identity.uploader.findLayer({ ...this.#destination(repositoryName), layerDigest }, this.#signal),
    );
    return layer && { size: layer.layerSize };
  }

  async getBlob(repositoryName: string, digest: string) {
    this.#assertReadable();
    const url = await asPortErrors(readDownloadUrl(this.#send, this.#destination(repositoryName), digest));
    return { url };
  }

  async putManifest(repositoryName: string, { tag, digest, mediaType, bytes }: NewManifest) {
    await asPortErrors(
      this.#identity.uploader.putImage({
        ...this.#destination(repositoryName),
        imageTag: tag,
        imageManifest: Buffer.from(bytes).toString(),
        imageManifestMediaType: mediaType,
        imageDigest: digest,
      }),
    );
    return { listsReferrers: this.#options.registry === 'ecr' };
  }

  async getManifest(repositoryName: string, reference: ImageReference) {
    this.#assertReadable();
    return asPortErrors(readManifest(this.#send, this.#destination(repositoryName), reference));
  }

  async listTags(repositoryName: string) {
    this.#assertReadable();
    return asPortErrors(readTags(this.#send, this.#destination(repositoryName)));
  }

  async listReferrers(repositoryName: string, digest: string, artifactType: string | undefined) {
    if (this.#options.registry === 'ecr-public') {
      return undefined;
    }
    const destination = this.#destination(repositoryName);
    return asPortErrors(readReferrers(this.#send, destination, digest, artifactType));
  }

  get #sessions(): UploadSessions {
    return this.#options.sessions;
  }

  get #send(): Send {
    return (operation, members) => this.#identity.uploader.send(operation, members, this.#signal);
  }

  #destination(repositoryName: string) {
    return { repositoryName, registryId: this.#options.registryId };
  }

  #owner(repositoryName: string) {
    const newRun = () => new LayerRun(this.#identity.uploader, this.#destination(repositoryName));
    return { client: this.client, repositoryName, newRun };
  }

  #assertReadable(): void {
    if (this.#options.registry === 'ecr-public') {
      throw new PortError(
        'UnsupportedCommandException',
        'ECR Public has no operation that reads images: pull from public.ecr.aws',
      );
    }
  }
}

const isUnknownUpload = (error: unknown): boolean =>
  error instanceof PortError && error.code === 'UploadNotFoundException';
