// The process of the hosted registry, whose log nobody may be reading.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { policySource } from '../../lib/policies.ts';

const program = join(import.meta.dirname, '../../registry/hosted/main.ts');

it('goes on answering when its log can be written no more', async () => {
  const child = spawn(process.execPath, [program], {
    env: {
      AWS_REGION: 'eu-central-1',
      HOST: '127.0.0.1',
      PORT: '0',
      REGISTRY: 'ecr',
      REGISTRIES: 'ecr',
      REGISTRY_ID: '123456789012',
      SECRET_ID: 'never-asked',
      POLICY_DIRECTORY: policySource,
      POWERTOOLS_SERVICE_NAME: 'test',
      POWERTOOLS_METRICS_NAMESPACE: 'test',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const url = /^Registry endpoint (?<url>\S+)$/.exec(line)?.groups?.url;
    child.stdout.destroy();
    child.stderr.destroy();
    for (let request = 1; request <= 3; request += 1) {
      const answer = await fetch(`${url}/v2/`);
      expect(answer.status).toBe(401);
    }
  } finally {
    child.kill();
    await once(child, 'exit');
  }
  expect(child.exitCode).toBe(0);
});
