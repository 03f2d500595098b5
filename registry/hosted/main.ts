// The process of the hosted registry: reads its environment, serves until SIGTERM, and lets uploads end.

import { patiently } from '../../lambda/retries.ts';
import { openServices } from '../../lambda/services.ts';
import { readHostedEnvironment } from './environment.ts';
import { startHostedServer } from './server.ts';

/** Where nobody reads the log any more, or its disk is full, lines are lost and pushes go on. */
function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {});
  }
}

async function main(): Promise<void> {
  surviveLostOutput();
  const { stopMs, proxy, ...environment } = readHostedEnvironment(process.env);
  const services = openServices(proxy, { retries: patiently });
  const server = await startHostedServer({ ...environment, services });
  console.log(`Registry endpoint ${server.url}`);

  // As the first process of a container it would not end by a signal that it does not handle.
  const stop = () =>
    server.close(stopMs).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

await main();
