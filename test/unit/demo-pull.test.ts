// The demo's comparison: whatever comes back changed or not at all is named.

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Blob, Image } from '../../local/demo/image.ts';
import { compareWithRegistry } from '../../local/demo/pull.ts';

const digestOf = (bytes: string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const blob = (name: string, content: string): Blob => ({
  name,
  path: '',
  mediaType: 'application/octet-stream',
  digest: digestOf(content),
  size: content.length,
});

const image: Image = {
  config: blob('config', '{}'),
  layers: [blob('base', 'layer one'), blob('model', 'layer two')],
  manifest: '{"schemaVersion":2}',
  mediaType,
  digest: digestOf('{"schemaVersion":2}'),
};

let server: Server | undefined;
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

async function compare(changes: Record<string, string | undefined>, contentType = mediaType) {
  const contents: Record<string, string | undefined> = {
    'manifests/demo': image.manifest,
    [`blobs/${image.config.digest}`]: '{}',
    [`blobs/${image.layers[0]?.digest}`]: 'layer one',
    [`blobs/${image.layers[1]?.digest}`]: 'layer two',
    ...changes,
  };
  server = createServer(({ url = '' }, response) => {
    const content = contents[url.replace('/v2/team-a/app/', '')];
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': contentType }).end(content);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return compareWithRegistry(`http://127.0.0.1:${port}`, 'team-a/app', 'demo', image);
}

describe('an image that comes back', () => {
  it('the same has no differences', async () => expect(await compare({})).toEqual([]));

  it('with another media type is distinguished', async () =>
    expect(await compare({}, 'text/plain')).toEqual([
      `the manifest has the media type text/plain instead of ${mediaType}`,
    ]));

  it.each([
    ['another manifest', 'manifests/demo', '{"schemaVersion":3}', /^the manifest has the digest/],
    [
      'a layer changed in one byte',
      `blobs/${digestOf('layer two')}`,
      'layer tvo',
      /^the layer "model" has the digest/,
    ],
    [
      'a layer cut short',
      `blobs/${digestOf('layer one')}`,
      'layer',
      /^the layer "base" has 5 bytes instead of 9/,
    ],
    ['no config', `blobs/${digestOf('{}')}`, undefined, /^the config is not there: the registry answers 404/],
  ])('with %s is told apart', async (_, path, content, line) => {
    const differences = await compare({ [path]: content });
    expect(differences).toEqual([expect.stringMatching(line)]);
  });
});
