// The operation table: each operation's route, input, output, policy context and permissions. Everything that lists
// operations (handlers, stack, local gateway, client, tests) iterates over it.

import { z } from 'zod';
import { maxDigestsBodyBytes, maxEventBytes, maxLoggedDigests, maxSmallBodyBytes } from './limits.ts';
import { type ManifestMembers, manifestOf } from './manifest.ts';
import {
  batchedLayerDigests,
  imageDigest,
  imageManifest,
  imageManifestMediaType,
  imageTag,
  layerDigests,
  layerPartBlob,
  partFirstByte,
  partLastByte,
  repositoryMembers,
  uploadId,
} from './members.ts';
import { completedLayer, layerAvailability, layerUpload, putImage, takenPart } from './outputs.ts';
import type { Usage } from './quotas.ts';
import type { Registry } from './registries.ts';
import { versionOf } from './version-tag.ts';

/** What the policy's `context` may hold; absent members are left out. */
export type PolicyContext = Readonly<
  Record<string, string | number | readonly string[] | Readonly<Record<string, string | number>> | undefined>
>;

type PutImageMembers = ManifestMembers & { imageTag?: string | undefined };

const noFacts = {
  mediaType: '',
  artifactType: undefined,
  configMediaType: undefined,
  layerCount: 0,
  layerMediaTypes: [],
  totalBytes: 0,
  manifestCount: 0,
  manifestMediaTypes: [],
  platformCount: 0,
  annotations: {},
};

/**
 * The manifest's facts. One that cannot be read has none: the policy decides about it all the same, so that a
 * client that may not push learns nothing more, and forward refuses it for those that may.
 */
function imageContext(members: PutImageMembers) {
  const { imageTag: tag } = members;
  const manifest = manifestOf(members);
  const { mediaType, ...facts } = 'facts' in manifest ? manifest.facts : noFacts;
  return {
    imageTag: tag,
    imageTagVersion: versionOf(tag),
    imageDigest: manifest.digest,
    imageManifestMediaType: mediaType,
    ...facts,
  };
}

type Positions = { partFirstByte: number; partLastByte: number };

/** The same image under the same tag is one image a day, and its manifest is sent once, however often it is put. */
function imageUsage(members: PutImageMembers): readonly Usage[] {
  const { imageManifest, imageTag: tag } = members;
  const image = { item: JSON.stringify([manifestOf(members).digest, tag]), daily: true, first: 0 };
  return [
    { ...image, unit: 'images', end: 1 },
    { ...image, unit: 'bytes', end: Buffer.byteLength(imageManifest) },
  ];
}

type Row<Input, Output> = {
  /** What it does, in one sentence. */
  summary: string;
  /** In the resource API `{method} /{registry}{path}` answers `status` on success. A GET has its members in path and query. */
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  status: 200 | 201;
  /** The body is a part's raw bytes (`application/octet-stream`) or JSON; other operations take JSON alone. */
  rawBody: boolean;
  /** The largest body it takes, in bytes. */
  maxBodyBytes: number;
  /** The members with what each may hold. Members it does not name are for validate to judge. */
  input: (
    registry: Registry,
  ) => z.ZodType<Input> & { readonly shape: Readonly<Record<string, z.core.$ZodType>> };
  /** What it answers, times as `z.date()`: `api/wire.ts` writes it in the form of each protocol. */
  output: z.ZodType<Output>;
  /** The operations that go on with what it answers. */
  next: readonly OperationName[];
  /** What the request says, for the policy: `context` of the Cedar action of the operation's name. */
  context: (input: Input) => PolicyContext;
  /** What it uses of the quotas: `bytes` of a layer or a manifest, and `images`. */
  usage: ((input: Input) => Usage | readonly Usage[]) | undefined;
  /** What the log says of it beside who and where: how many `bytes` it carries towards ECR, and of what. */
  logged: (
    input: Input,
    context: PolicyContext,
  ) => { readonly bytes: number } & Readonly<Record<string, unknown>>;
  /** The actions of IAM's `ecr` service prefix that the operation's function needs on the repository. */
  iamActions: readonly string[];
  /** The S3 actions that it needs on the staged objects. */
  stagingActions: readonly string[];
  /**
   * The DynamoDB actions that it needs to count against quotas: a transaction needs those of its parts. Source: Amazon
   * DynamoDB developer guide, "Using IAM with DynamoDB transactions".
   */
  quotaActions: readonly string[];
};

const table = {
  InitiateLayerUpload: {
    summary: 'Begins the upload of a layer.',
    method: 'POST',
    path: '/layer-uploads',
    status: 201,
    rawBody: false,
    maxBodyBytes: maxSmallBodyBytes,
    input: (registry: Registry) => z.object(repositoryMembers(registry)),
    output: layerUpload,
    next: ['UploadLayerPart', 'CompleteLayerUpload'],
    context: () => ({}),
    logged: () => ({ bytes: 0 }),
    iamActions: ['InitiateLayerUpload'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  UploadLayerPart: {
    summary: 'Sends the next part of a layer.',
    method: 'PUT',
    path: '/layer-uploads/{uploadId}/parts',
    status: 200,
    rawBody: true,
    maxBodyBytes: maxEventBytes,
    input: (registry: Registry) =>
      z
        .object({
          ...repositoryMembers(registry),
          uploadId,
          partFirstByte,
          partLastByte,
          layerPartBlob,
        })
        .refine((part) => part.partLastByte - part.partFirstByte + 1 === part.layerPartBlob.length, {
          path: ['partLastByte'],
          message: 'partFirstByte plus the number of bytes sent, minus 1',
        }),
    output: takenPart,
    next: ['UploadLayerPart', 'CompleteLayerUpload'],
    context: (input: { partFirstByte: number; partLastByte: number }) => ({
      partFirstByte: input.partFirstByte,
      partLastByte: input.partLastByte,
    }),
    logged: (input: { layerPartBlob: Uint8Array; partFirstByte: number }) => ({
      bytes: input.layerPartBlob.length,
      partFirstByte: input.partFirstByte,
    }),
    iamActions: ['UploadLayerPart'],
    stagingActions: ['s3:GetObject', 's3:PutObject'],
    quotaActions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    usage: ({
      uploadId: item,
      partFirstByte: first,
      partLastByte,
    }: Positions & { uploadId: string }): Usage => ({
      unit: 'bytes',
      item,
      first,
      end: partLastByte + 1,
    }),
  },
  CompleteLayerUpload: {
    summary: 'Ends the upload of a layer, once all its parts are sent.',
    method: 'POST',
    path: '/layer-uploads/{uploadId}/completion',
    status: 201,
    rawBody: false,
    maxBodyBytes: maxDigestsBodyBytes,
    input: (registry: Registry) => z.object({ ...repositoryMembers(registry), uploadId, layerDigests }),
    output: completedLayer,
    next: [],
    context: () => ({}),
    logged: (input: { layerDigests: readonly string[] }) => ({
      bytes: 0,
      layerDigests: input.layerDigests.slice(0, maxLoggedDigests),
    }),
    // The waiting part goes up first; a completion whose answer was lost is noted there, and found by its digest.
    iamActions: ['CompleteLayerUpload', 'UploadLayerPart', 'BatchCheckLayerAvailability'],
    stagingActions: ['s3:GetObject', 's3:PutObject'],
    quotaActions: [],
    usage: undefined,
  },
  BatchCheckLayerAvailability: {
    summary: 'Tells which layers the repository has.',
    method: 'POST',
    path: '/layer-availability',
    status: 200,
    rawBody: false,
    maxBodyBytes: maxDigestsBodyBytes,
    input: (registry: Registry) =>
      z.object({ ...repositoryMembers(registry), layerDigests: batchedLayerDigests }),
    output: layerAvailability,
    next: [],
    context: () => ({}),
    logged: () => ({ bytes: 0 }),
    iamActions: ['BatchCheckLayerAvailability'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  PutImage: {
    summary: 'Puts the manifest of an image whose layers are in the repository.',
    method: 'PUT',
    path: '/images',
    status: 201,
    rawBody: false,
    maxBodyBytes: maxEventBytes,
    input: (registry: Registry) =>
      z.object({
        ...repositoryMembers(registry),
        imageManifest,
        imageManifestMediaType,
        imageTag,
        imageDigest,
      }),
    output: putImage,
    next: [],
    context: imageContext,
    logged: (input: PutImageMembers, { imageDigest: digest, imageTag: tag }: PolicyContext) => ({
      bytes: Buffer.byteLength(input.imageManifest),
      imageDigest: digest,
      imageTag: tag,
    }),
    iamActions: ['PutImage'],
    stagingActions: [],
    quotaActions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    usage: imageUsage,
  },
} as const;

export type OperationName = keyof typeof table;

/** An operation's input after validation, in ECR's member names; `layerPartBlob` as bytes. */
export type Members<Name extends OperationName> = z.output<ReturnType<(typeof table)[Name]['input']>>;

/** What an operation answers, in ECR's member names. */
export type Output<Name extends OperationName> = z.output<(typeof table)[Name]['output']>;

type OperationRow<Name extends OperationName> = Row<Members<Name>, Output<Name>>;

export const operations: { readonly [Name in OperationName]: OperationRow<Name> } = table;

export const operationNames = Object.keys(table) as readonly OperationName[];

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(table, name);

/** What a request asks for, in whichever API. */
export type Call<Name extends OperationName = OperationName> = {
  readonly operation: Name;
  readonly registry: Registry;
  /** The client says that it sends the same request again, having got no answer to the first or a failure. */
  readonly isRepeated?: boolean;
};
