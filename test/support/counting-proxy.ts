// A proxy on loopback that knows every token and does nothing but count: for what must not reach a proxy at all.

import { createServer } from 'node:http';
import { closeServer, urlOf } from '../../local/address.ts';

/** Every request is answered as one with a good token and ill-formed members is. */
export async function startCountingProxy() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    const body = JSON.stringify({ code: 'InvalidParameterException', detail: 'nothing is taken here' });
    response.writeHead(400, { 'content-type': 'application/problem+json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: urlOf(server), requests: () => requests, close: () => closeServer(server) };
}

export type CountingProxy = Awaited<ReturnType<typeof startCountingProxy>>;
