// authorize and forward over ECR and S3 in memory, parts of four bytes: what is called, what is counted, what fails.

import { ECRClient, ECRServiceException } from '@aws-sdk/client-ecr';
import { ECRPUBLICClient } from '@aws-sdk/client-ecr-public';
import { S3Client } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import type { Members, OperationName, Output } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Count } from '../../lambda/quota/quota-counts.ts';
import { authorize } from '../../lambda/steps/authorize.ts';
import { forward } from '../../lambda/steps/forward.ts';
import type { Input } from '../../lambda/steps/validate.ts';
import { privateEcr, publicEcr } from '../../lambda/upload/ecr.ts';
import { type PartSending, seal } from '../../lambda/upload/seal.ts';
import { s3Staging } from '../../lambda/upload/staging.ts';
import { digestOf, layerOf, partSize, positionsOf } from '../interleavings/content.ts';
import { ecrInMemory } from '../interleavings/ecr-in-memory.ts';
import { s3InMemory } from '../interleavings/s3-in-memory.ts';

const config = { region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const sealingKey = 's'.repeat(32);
const principal = { type: 'Client', id: 'owner' } as const;

export const registryId = '123456789012';
export const repositoryName = 'team/app';
export const uploadId = '00000000-0000-0000-0000-000000000000';

type SentCall = { readonly name: string; readonly input: object; readonly abortSignal: unknown };
type Fails = { readonly error: unknown; readonly after: boolean };

/** An exception of ECR's, S3's or DynamoDB's, as the SDK throws it. */
export const serviceError = (name: string, httpStatusCode = 400, attempts = 1): Error =>
  new ECRServiceException({
    ...{ name, message: `${name} of the service`, $fault: 'client' },
    $metadata: { httpStatusCode, attempts },
  });

/** What a promise is rejected with, which is an error of the proxy's own. */
export async function proxyErrorFrom(result: Promise<unknown>): Promise<ProxyError> {
  const failure: unknown = await result.then(
    () => 'nothing',
    (error: unknown) => error,
  );
  if (failure instanceof ProxyError) {
    return failure;
  }
  throw new Error('not rejected with a ProxyError', { cause: failure });
}

/** One upload of ECR's, which is the upload of every request unless it names another. */
export function openForwarding({
  layerBytes = 16,
  sending = { pairsOf: partSize },
}: {
  layerBytes?: number;
  sending?: PartSending;
} = {}) {
  const ecr = ecrInMemory();
  const s3 = s3InMemory();
  ecr.open(uploadId);
  const sent: SentCall[] = [];
  const failing = new Map<string, (Fails | undefined)[]>();
  const answers = new Map<string, object>();
  const count = vi.fn();
  const warn = vi.fn();
  const charge = vi.fn<Count>(async () => {});
  const measured: string[] = [];
  const { signal: abortSignal } = new AbortController();

  const via = <Client extends object>(client: Client, service: 'ecr' | 's3') => {
    const send = async (command: { input: object }, options?: { abortSignal?: unknown }) => {
      const name = command.constructor.name.replace(/Command$/, '');
      sent.push({ name, input: command.input, abortSignal: options?.abortSignal });
      if (options?.abortSignal !== abortSignal) {
        throw new Error(`${name} is sent without the caller’s signal`);
      }
      const fails = failing.get(name)?.shift();
      if (fails && !fails.after) {
        throw fails.error;
      }
      const output = answers.get(name) ?? { ecr, s3 }[service].read(command).effect(1);
      if (fails) {
        throw fails.error;
      }
      return output;
    };
    return Object.assign(client, { send });
  };
  const measure = <T>(name: string, call: () => Promise<T>) => {
    measured.push(name);
    return call();
  };

  const tellNearlyUsed = vi.fn();
  const readSecret = async () => ({ sealingKey, clients: {} });
  const record = { add: () => {}, count, warn };
  const upstream = {
    ecr: {
      ecr: privateEcr(via(new ECRClient(config), 'ecr'), measure),
      'ecr-public': publicEcr(via(new ECRPUBLICClient(config), 'ecr'), measure),
    },
    staging: s3Staging(via(new S3Client(config), 's3'), 'staging', measure),
    ...{ readSecret, abortSignal, tellNearlyUsed, count, warn },
  };

  async function serve<Name extends OperationName>(input: Input<Name>): Promise<Output<Name>> {
    const authority = {
      policies: { decide: () => ({ allowed: true, policies: [], errors: [] }) },
      readSecret,
      accounts: { own: registryId, others: [], aliases: ['alias'] },
      count: charge,
    };
    return forward(await authorize(principal, input, authority, record), upstream);
  }

  const layer = layerOf('distinct', layerBytes);
  const binding = { principal, registry: 'ecr', registryId, repositoryName } as const;
  const sealedUploadId = seal(sealingKey, { uploadId, sending }, binding);
  const how = sending === 'direct' ? { sending } : {};

  const sendPart = (
    members: Partial<Members<'UploadLayerPart'>> & { partFirstByte: number; partLastByte: number },
    isRepeated = false,
  ) =>
    serve<'UploadLayerPart'>({
      ...{ operation: 'UploadLayerPart', registry: 'ecr', isRepeated, ...how },
      members: {
        ...{ repositoryName, uploadId: sealedUploadId },
        layerPartBlob: layer.slice(members.partFirstByte, members.partLastByte + 1),
        ...members,
      },
    });

  return {
    ...{ ecr, s3, sent, answers, count, warn, charge, measured, abortSignal, tellNearlyUsed, serve },
    ...{ layer, digest: digestOf(layer), sealedUploadId, sendPart },
    /** The names of the calls since this was asked last. */
    calls: () => sent.splice(0).map(({ name }) => name),
    /** The next call of this name fails, before it has an effect or `after`; the first few may be passed over. */
    fail: (name: string, error: unknown, { after = false, times = 1, passes = 0 } = {}) => {
      failing.set(name, [
        ...(failing.get(name) ?? []),
        ...Array.from({ length: passes }, () => undefined),
        ...Array.from({ length: times }, () => ({ error, after })),
      ]);
    },
    /** Sends the parts with these numbers, one after the other. */
    send: async (...parts: number[]) => {
      for (const part of parts) {
        await sendPart(positionsOf(part, layerBytes));
      }
    },
    complete: (layerDigests: string[] = [digestOf(layer)], isRepeated = false) =>
      serve<'CompleteLayerUpload'>({
        ...{ operation: 'CompleteLayerUpload', registry: 'ecr', isRepeated, ...how },
        members: { repositoryName, uploadId: sealedUploadId, layerDigests },
      }),
    received: () => ecr.uploads.get(uploadId)?.bytes.length,
    slot: () => [...s3.objects.values()][0]?.metadata,
  };
}
