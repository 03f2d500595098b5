// The hosted registry: each of its operations walks the five steps in this process. It keeps nothing. Decision 0024.

import type { LimitFunction } from 'p-limit';
import { sha256Of } from '../../api/digest.ts';
import { minEcrPartBytes } from '../../api/limits.ts';
import type { OperationName } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Registry } from '../../api/registries.ts';
import { identify, type ServeServices } from '../../lambda/serve.ts';
import type { Principal } from '../../policy/principal.ts';
import {
  type BlobContent,
  type Caller,
  type ImageReference,
  type IncomingBytes,
  type Manifest,
  type NewManifest,
  type OpenRegistry,
  PortError,
  type Referrer,
  type RegistryPort,
  type UploadState,
} from '../port.ts';
import type { Unanswered } from './answer-time.ts';
import { askEcr, type Rest, takeBody } from './blob-upload.ts';
import { Calls, type Patience } from './calls.ts';
import { lastingTokens } from './lasting-tokens.ts';
import type { PartBuffers } from './part-buffers.ts';
import type { SenderOptions } from './part-sender.ts';
import { type BlobMode, readBlob } from './read-blobs.ts';
import { type ReadOptions, readManifest, readReferrers, readTags } from './read-images.ts';
import { type RequestRecord, unrecorded } from './request-record.ts';
import type { RequestRecords } from './request-records.ts';
import { nothingSent, placeOf, stateOf, type UploadPlace } from './upload-place.ts';

/** What all requests share. */
export type HostedRegistryOptions = {
  readonly services: ServeServices;
  readonly registry: Registry;
  readonly records: RequestRecords;
  readonly buffers: PartBuffers;
  readonly sends: SenderOptions['sends'];
  readonly manifestReads: LimitFunction;
  readonly unanswered: Unanswered;
  readonly patience: Patience;
  /** How long a client waits for an answer after its body's last byte. */
  readonly answerMs: number;
  readonly blobMode: BlobMode;
};

const nameOf = ({ type, id }: Principal): string => `${type}::${id}`;

export const hostedRegistry =
  (options: HostedRegistryOptions): OpenRegistry =>
  async (caller) => {
    const { services, records } = options;
    const record = records.begin(caller);
    const own = { ...services, tokens: lastingTokens(services.tokens) };
    const headers = caller.token === undefined ? {} : { authorization: `Bearer ${caller.token}` };
    const call = { headers, abortSignal: caller.abortSignal, record: record.call };
    const principal = await refusing(record, identify(call, own));
    const calls = new Calls({
      ...options,
      services: own,
      headers,
      tellNearlyUsed: caller.warn,
    });
    return new HostedRegistry(nameOf(principal), calls, record, caller, options);
  };

/** The log says what the request was refused with. */
async function refusing<Value>(record: RequestRecord, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ProxyError) {
      record.refuse(error);
    }
    throw error;
  }
}

/** A digest that no layer has: asking for it only shows whether the repository exists. */
const nobodysDigest = sha256Of('of nothing that is ever pushed');

const isCode = (error: unknown, code: ProxyError['code']): boolean =>
  error instanceof ProxyError && error.code === code;

/** @throws every other failure */
const ignoring = (code: ProxyError['code']) => (error: unknown) => {
  if (!isCode(error, code)) {
    throw error;
  }
};

/**
 * ECR forgets an upload once it is complete. If the answer to its last bytes was lost they come again, and its
 * completion tells whether the layer is there.
 *
 * @throws every other failure
 */
const completedBefore =
  (place: UploadPlace) =>
  (error: unknown): Rest => {
    if (place.uploadId === undefined || !isCode(error, 'UploadNotFoundException')) {
      throw error;
    }
    return async () => place;
  };

class HostedRegistry implements RegistryPort {
  readonly client: string;
  readonly minChunkBytes = minEcrPartBytes;
  readonly #calls: Calls;
  readonly #record: RequestRecord;
  readonly #caller: Caller;
  readonly #options: HostedRegistryOptions;

  constructor(
    client: string,
    calls: Calls,
    record: RequestRecord,
    caller: Caller,
    options: HostedRegistryOptions,
  ) {
    this.client = client;
    this.#calls = calls;
    this.#record = record;
    this.#caller = caller;
    this.#options = options;
  }

  begin(repositoryName: string): Promise<UploadState> {
    return this.#serving('InitiateLayerUpload', repositoryName, async () => {
      // There is no upload yet: the policy is asked about its first byte, and not which upload.
      const firstByte = { partFirstByte: 0, partLastByte: 0, layerPartBlob: new Uint8Array(1) };
      const record = { ...this.#call.record, count: unrecorded.count };
      await this.#calls.decide(
        'UploadLayerPart',
        { repositoryName, uploadId: 'none', ...firstByte },
        { record },
      );
      await this.#calls.decide('InitiateLayerUpload', { repositoryName }, this.#call);
      await this.#assertRepository(repositoryName);
      return stateOf(nothingSent);
    });
  }

  append(repositoryName: string, reference: string, incoming: IncomingBytes): Promise<UploadState> {
    return this.#serving('UploadLayerPart', repositoryName, async () => {
      const options = { ...this.#upload(repositoryName), isLast: false };
      const rest = await takeBody(placeOf(reference), incoming, options);
      return stateOf(await this.#inTime(rest()));
    });
  }

  finish(repositoryName: string, reference: string, digest: string, incoming: IncomingBytes): Promise<void> {
    return this.#serving('CompleteLayerUpload', repositoryName, async () => {
      const place = placeOf(reference);
      const options = { ...this.#upload(repositoryName), isLast: true };
      const rest = await takeBody(place, incoming, options).catch(completedBefore(place));
      const end = async () => this.#complete(repositoryName, await rest(), digest);
      await this.#inTime(end());
    });
  }

  status(repositoryName: string, reference: string): Promise<UploadState> {
    return this.#serving('UploadLayerPart', repositoryName, async () =>
      stateOf(await askEcr(placeOf(reference), this.#upload(repositoryName))),
    );
  }

  /** ECR forgets uploads in its own time, and has no call for it. */
  async cancel(): Promise<void> {}

  hasBlob(repositoryName: string, digest: string): Promise<{ size: number | undefined } | undefined> {
    return this.#serving('BatchCheckLayerAvailability', repositoryName, async () => {
      const members = { repositoryName, layerDigests: [digest] };
      const { layers } = await this.#calls.send('BatchCheckLayerAvailability', members, this.#call);
      const layer = layers.find((one) => one.layerDigest === digest);
      return layer?.layerAvailability === 'AVAILABLE' ? { size: layer.layerSize } : undefined;
    });
  }

  putManifest(
    repositoryName: string,
    { tag, digest, mediaType, bytes }: NewManifest,
  ): Promise<{ listsReferrers: boolean }> {
    return this.#serving('PutImage', repositoryName, async () => {
      const members = {
        repositoryName,
        imageManifest: Buffer.from(bytes).toString(),
        imageManifestMediaType: mediaType,
        imageTag: tag,
        imageDigest: digest,
      };
      await this.#calls.send('PutImage', members, this.#call).catch(ignoring('ImageAlreadyExistsException'));
      return { listsReferrers: this.#options.registry === 'ecr' };
    });
  }

  getBlob(repositoryName: string, digest: string): Promise<BlobContent | undefined> {
    return this.#serving('GetDownloadUrlForLayer', repositoryName, () =>
      readBlob(digest, this.#options.blobMode, this.#read(repositoryName)),
    );
  }

  getManifest(repositoryName: string, reference: ImageReference): Promise<Manifest | undefined> {
    return this.#serving('BatchGetImage', repositoryName, () =>
      this.#options.manifestReads(() => readManifest(reference, this.#read(repositoryName))),
    );
  }

  listTags(repositoryName: string): Promise<readonly string[]> {
    return this.#serving('ListImages', repositoryName, () => readTags(this.#read(repositoryName)));
  }

  listReferrers(
    repositoryName: string,
    digest: string,
    artifactType: string | undefined,
  ): Promise<readonly Referrer[] | undefined> {
    return this.#serving('ListImageReferrers', repositoryName, () =>
      readReferrers(digest, artifactType, this.#read(repositoryName)),
    );
  }

  get #call() {
    return { record: this.#record.call, signal: this.#caller.abortSignal };
  }

  #read(repositoryName: string): ReadOptions {
    return { calls: this.#calls, call: this.#call, repositoryName };
  }

  #upload(repositoryName: string): SenderOptions {
    const { buffers, sends } = this.#options;
    return { ...this.#read(repositoryName), buffers, sends };
  }

  async #serving<Value>(
    operation: OperationName,
    repositoryName: string,
    work: () => Promise<Value>,
  ): Promise<Value> {
    this.#record.call.serves(operation);
    return refusing(this.#record, inWords(repositoryName, work()));
  }

  #inTime<Value>(work: Promise<Value>): Promise<Value> {
    const { unanswered, answerMs } = this.#options;
    return unanswered.inTime(work, answerMs, (error) =>
      this.#record.call.warn('what went on after its answer has failed', error),
    );
  }

  /** Who may not ask after layers meets it with the first byte. */
  async #assertRepository(repositoryName: string): Promise<void> {
    const members = { repositoryName, layerDigests: [nobodysDigest] };
    const call = { ...this.#call, record: unrecorded };
    await this.#calls
      .send('BatchCheckLayerAvailability', members, call)
      .catch(ignoring('AccessDeniedException'));
  }

  async #complete(repositoryName: string, { uploadId }: UploadPlace, digest: string): Promise<void> {
    if (uploadId === undefined) {
      throw new ProxyError('EmptyUploadException', 'The upload has no bytes, and ECR takes no empty layer.');
    }
    const members = { repositoryName, uploadId, layerDigests: [digest] };
    await this.#calls
      .send('CompleteLayerUpload', members, this.#call)
      .catch(ignoring('LayerAlreadyExistsException'));
  }
}

/** To other registries a push makes the repository. */
const noRepository = (repositoryName: string, cause: unknown) =>
  new PortError(
    'RepositoryNotFoundException',
    `There is no repository ${repositoryName} in this registry, and a push makes none. The registry’s operator creates it.`,
    { cause },
  );

async function inWords<Value>(repositoryName: string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw isCode(error, 'RepositoryNotFoundException') ? noRepository(repositoryName, error) : error;
  }
}
