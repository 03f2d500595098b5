// Layers that come at the same time, each in one request, as containerd sends them.

import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { digestOf, randomBytes } from '../test/support/random-bytes.ts';
import { tokens } from '../test/support/resource-api.ts';

const layerBytes = 100_000_000;

/** One client may not have as many. */
const clients = [
  { token: tokens.a, namespace: 'team-a' },
  { token: tokens.b, namespace: 'team-b' },
  { token: tokens.pushOnly, namespace: 'team-a' },
];

const clientOf = (at: number) => clients[at % clients.length] ?? { token: '', namespace: '' };

/** A repository for each of them. */
export const repositoriesOf = (uploads: number): string[] =>
  Array.from({ length: uploads }, (_, at) => `${clientOf(at).namespace}/at-once-${uploads}-${at}`);

/** @param file where the layer is kept meanwhile: one for all, each in a repository of its own */
export async function pushAtOnce(url: string, uploads: number, file: string): Promise<void> {
  const layer = randomBytes(layerBytes);
  await writeFile(file, layer);
  const digest = digestOf(layer);
  const body = await openAsBlob(file);
  const push = async (repositoryName: string, at: number) => {
    const authorization = `Basic ${Buffer.from(`any:${clientOf(at).token}`).toString('base64')}`;
    const begun = await fetch(`${url}/v2/${repositoryName}/blobs/uploads/`, {
      method: 'POST',
      headers: { authorization },
    });
    const place = new URL(begun.headers.get('location') ?? '', url);
    place.searchParams.set('digest', digest);
    const { status } = await fetch(place, { method: 'PUT', headers: { authorization }, body });
    // 503: all bytes are there, and the stand-in takes long to hash them all.
    if (status !== 201 && status !== 503) {
      throw new Error(`a layer was answered with ${status}`);
    }
  };
  await Promise.all(repositoriesOf(uploads).map(push));
}
