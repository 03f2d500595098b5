// A hostile web site whose name is pointed at the bridge once its page is loaded: DNS rebinding, as a browser sees it.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { closeServer } from '../../../local/address.ts';

/** Another address of loopback, so that the site can have the bridge's port: a page's origin is name and port. */
const address = '127.0.0.2';
const name = 'attacker.example';

/** What a page could learn by each of its attempts. */
export type Outcomes = Record<string, string>;

/**
 * @param bridgeUrl where what the page asks its own name for goes, as it was sent, `Host` included
 */
export async function startHostileSite(bridgeUrl: string) {
  const { hostname, port } = new URL(bridgeUrl);
  const page = await readFile(join(import.meta.dirname, 'attack.html'));
  let tell: (outcomes: Outcomes) => void;
  const outcomes = new Promise<Outcomes>((resolve) => {
    tell = resolve;
  });

  const rebound = (asked: IncomingMessage, answer: ServerResponse) => {
    const { method, url: path, headers } = asked;
    const onward = request({ hostname, port, method, path, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  };
  const server = createServer(async (asked, answer) => {
    if (asked.url?.startsWith('/v2/')) {
      return rebound(asked, answer);
    }
    if (asked.method === 'POST') {
      tell(z.record(z.string(), z.string()).parse(JSON.parse(await text(asked))));
    }
    answer.setHeader('content-type', 'text/html').end(page);
  });
  server.listen(Number(port), address);
  await once(server, 'listening');
  return {
    url: `http://${name}:${port}/`,
    /** For Chromium: how the site's name is resolved. */
    resolverRules: `MAP ${name} ${address}`,
    outcomes,
    close: () => closeServer(server),
  };
}
