// How awslabs' amazon-ecr-containerd-resolver pushes, call by call, with the AWS SDK for Go. Source: its
// ecr/pusher.go, ecr/layer_writer.go and ecr/manifest_writer.go. Before a manifest it asks whether it is there, by
// BatchGetImage, which a client needs to be allowed to read for.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSize } from '../../api/limits.ts';
import { type AwsClient, clientEnvironment, type Members } from '../support/aws-client.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { indexOf, manifestOf, ociIndex, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';
import { stored } from '../support/stored.ts';
import { go, withClient } from './installed.ts';

/** It names the registry in every call: the account of the image's ARN. */
const repository = { registryId: '123456789012', repositoryName: 'team-a/app' };

withClient(go, () => {
  describe('amazon-ecr-containerd-resolver', () => {
    let proxy: LocalStack;
    let client: AwsClient;
    beforeAll(async () => {
      proxy = await startLocalStack();
      client = await go.start(clientEnvironment(proxy.proxyUrl, tokens.a));
    });
    afterAll(async () => {
      await client?.close();
      await proxy?.close();
    });

    const call = async (operation: string, members: Members) => {
      const { output, failure } = await client.call('ecr', operation, { ...repository, ...members });
      if (failure) {
        throw new Error(`${operation}: ${failure.code}: ${failure.message}`);
      }
      return output;
    };

    /** Whether the layer was sent; one that is there is not. */
    const pushBlob = async (blob: Buffer): Promise<boolean> => {
      const layerDigest = digestOf(blob);
      const checked = await call('BatchCheckLayerAvailability', { layerDigests: [layerDigest] });
      // An absent layer is one of `layers`, too: with none there, the resolver gives up.
      expect(checked?.layers).toHaveLength(1);
      if (JSON.stringify(checked?.layers).includes('"AVAILABLE"')) {
        return false;
      }
      const begun = await call('InitiateLayerUpload', {});
      const [uploadId, partSize] = [String(begun?.uploadId), Number(begun?.partSize)];
      for (let first = 0; first < blob.length; first += partSize) {
        const layerPartBlob = blob.subarray(first, first + partSize);
        const partLastByte = first + layerPartBlob.length - 1;
        await call('UploadLayerPart', { uploadId, partFirstByte: first, partLastByte, layerPartBlob });
      }
      const completed = await call('CompleteLayerUpload', { uploadId, layerDigests: [layerDigest] });
      expect(completed?.layerDigest).toBe(layerDigest);
      return true;
    };

    /** Whether the manifest was sent; one that is there under the tag is not. A tag goes with the root of the image alone. */
    const pushManifest = async (
      imageManifest: string,
      imageManifestMediaType: string,
      imageTag?: string,
    ): Promise<boolean> => {
      const imageDigest = digestOf(imageManifest);
      const tag = imageTag === undefined ? {} : { imageTag };
      const found = await call('BatchGetImage', {
        imageIds: [{ imageDigest, ...tag }],
        acceptedMediaTypes: [imageManifestMediaType],
      });
      // Any other failure than these is the end of a push.
      if (JSON.stringify(found?.failures ?? []) === '[]') {
        expect(found).toMatchObject({ images: [{ imageId: { imageDigest }, imageManifest }] });
        return false;
      }
      expect(found).toMatchObject({
        failures: [{ failureCode: expect.stringMatching(/^Image(NotFound|TagDoesNotMatchDigest)$/) }],
      });
      const put = await call('PutImage', { imageManifest, imageManifestMediaType, imageDigest, ...tag });
      expect(put).toMatchObject({ image: { imageId: { imageDigest } } });
      return true;
    };

    it('pushes an index of an image whose layers have several pairs of parts', async () => {
      const config = randomBytes(700);
      const layers = [randomBytes(5 * partSize + 1), randomBytes(9_000)];
      for (const blob of [config, ...layers]) {
        expect(await pushBlob(blob)).toBe(true);
      }
      const manifest = manifestOf(config, layers);
      expect(await pushManifest(manifest, ociManifest)).toBe(true);
      const index = indexOf(manifest);
      expect(await pushManifest(index, ociIndex, '2.0')).toBe(true);
      expect(await pushManifest(index, ociIndex, '2.0')).toBe(false);
      const moved = indexOf(manifest, manifest);
      expect(await pushManifest(moved, ociIndex, '2.0')).toBe(true);

      const pull = (path: string) => stored(proxy.ecrUrl, 'ecr', path);
      expect((await pull('manifests/2.0')).toString()).toBe(moved);
      for (const layer of layers) {
        expect(Buffer.compare(await pull(`blobs/${digestOf(layer)}`), layer)).toBe(0);
        expect(await pushBlob(layer)).toBe(false);
      }
    });
  });
});
