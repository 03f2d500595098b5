// Presigned URLs of layers, as S3 has them: what is signed, and until when.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { downloadUrlSeconds } from './limits.ts';
import type { RegistryName } from './registries.ts';

type Layer = { registry: RegistryName; repositoryName: string; layerDigest: string };

/** Where the stand-in serves them. */
export const downloadPath = '/_layers';

const signed = z.object({
  registry: z.enum(['ecr', 'ecr-public']),
  repositoryName: z.string(),
  layerDigest: z.string(),
  expires: z.coerce.number(),
  'X-Amz-Signature': z.string(),
});

/** Makes the URLs, and knows its own again. */
export class Downloads {
  readonly #key = randomBytes(32);
  #origin = '';

  /** Where the stand-in is, once it is somewhere. */
  listenAt(origin: string): void {
    this.#origin = origin;
  }

  urlOf(layer: Layer, expires = Date.now() + downloadUrlSeconds * 1_000): string {
    const query = new URLSearchParams({
      ...layer,
      expires: String(expires),
      'X-Amz-Signature': this.#sign(layer, expires),
    });
    return `${this.#origin}${downloadPath}?${query}`;
  }

  /** The layer that the URL is of; undefined where it is not one of these, or not any more. */
  layerOf(query: unknown): Layer | undefined {
    const { data } = signed.safeParse(query);
    if (!data) {
      return undefined;
    }
    const { expires, 'X-Amz-Signature': signature, ...layer } = data;
    const [given, own] = [signature, this.#sign(layer, expires)].map((text) => Buffer.from(text));
    const isOurs = given && own && given.length === own.length && timingSafeEqual(given, own);
    return isOurs && expires > Date.now() ? layer : undefined;
  }

  #sign({ registry, repositoryName, layerDigest }: Layer, expires: number): string {
    const text = JSON.stringify([registry, repositoryName, layerDigest, expires]);
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}
