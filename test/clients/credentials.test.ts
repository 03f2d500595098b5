// `npx ecr-upload-proxy credentials` as the credential_process of a profile, which also names the proxy: with it,
// AWS clients need nothing but the profile's name. The profile is that of docs/aws-clients.md.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSize } from '../../api/limits.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { tokens } from '../support/resource-api.ts';
import { boto3, cli, go, withClient } from './installed.ts';

const documentation = join(import.meta.dirname, '../../docs/aws-clients.md');

async function profileOf(proxyUrl: string): Promise<string> {
  const [, profile = ''] = /```ini\n(.*?)```/s.exec(await readFile(documentation, 'utf8')) ?? [];
  expect(profile).toContain('credential_process');
  return profile.replaceAll(/https:\S+/g, proxyUrl);
}

describe('the credentials command', () => {
  let directory: string;
  let proxy: LocalStack;
  let environment: Record<string, string>;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'credentials-'));
    proxy = await startLocalStack();
    const config = join(directory, 'config');
    await writeFile(config, await profileOf(proxy.proxyUrl));
    environment = {
      AWS_CONFIG_FILE: config,
      AWS_PROFILE: 'proxy',
      AWS_REGION: 'proxy-1',
      AWS_DEFAULT_REGION: 'proxy-1',
      ECR_UPLOAD_PROXY_TOKEN: tokens.a,
    };
  });
  afterAll(async () => {
    await proxy?.close();
    await rm(directory, { recursive: true, force: true });
  });

  for (const installed of [boto3, cli, go]) {
    withClient(installed, () => {
      it.each(['ecr', 'ecr-public'] as const)(
        `gives ${installed.name} the token, for %s`,
        async (registry) => {
          const client = await installed.start(environment);
          const { output } = await client.call(registry, 'InitiateLayerUpload', {
            repositoryName: 'team-a/app',
          });
          expect(output).toMatchObject({ uploadId: expect.any(String), partSize });
          await client.close();
        },
      );
    });
  }
});
