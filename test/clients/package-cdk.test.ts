// The construct as another CDK app has it: packed, installed, synthesized with its functions, typed.

import { execFile } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNames } from '../../api/operations.ts';
import { createProject, typeCheck } from './another-project.ts';

type Resource = { Type: string; Properties: { Code?: { S3Key: string } } };

const run = promisify(execFile);

let project: string;
beforeAll(async () => {
  project = await createProject(['@types/node', 'aws-cdk-lib', 'constructs']);
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** @returns the resources of a stack, whose assets lie beside its template in cdk.out/ */
async function synthesize(program: string): Promise<Resource[]> {
  await writeFile(join(project, 'app.mjs'), program);
  await run(process.execPath, ['app.mjs'], { cwd: project, env: { ...process.env, CDK_OUTDIR: 'cdk.out' } });
  const template = JSON.parse(await readFile(join(project, 'cdk.out/Uploads.template.json'), 'utf8'));
  return Object.values(template.Resources);
}

describe('the packed construct', () => {
  it('synthesizes, with its functions bundled and the policies that ship', async () => {
    const resources = await synthesize(`import { App, Stack } from 'aws-cdk-lib';
      import { EcrUploadProxy } from 'ecr-upload-proxy/cdk';
      const stack = new Stack(new App(), 'Uploads');
      new EcrUploadProxy(stack, 'Proxy', { repositories: { ecr: ['team-a/*'] } });
      stack.node.root.synth();`);

    const functions = resources.filter(({ Type }) => Type === 'AWS::Lambda::Function');
    // One for each operation, for the AWS API and for session tokens.
    expect(functions).toHaveLength(operationNames.length + 2);
    const shipped = await readdir(join(project, 'node_modules/ecr-upload-proxy/policies'));
    for (const { Properties } of functions) {
      const asset = join(project, 'cdk.out', `asset.${Properties.Code?.S3Key.replace('.zip', '')}`);
      expect(await readdir(asset)).toEqual([
        'cedar_wasm.js',
        'cedar_wasm_bg.wasm',
        'index.mjs',
        'index.mjs.map',
        'policies',
      ]);
      expect(await readdir(join(asset, 'policies'))).toEqual(
        shipped.filter((name) => name !== 'policies.test.yaml'),
      );
    }
  });

  it('takes a policy directory of the app’s own, and reads a configuration for the stack', async () => {
    await cp(join(project, 'node_modules/ecr-upload-proxy/policies'), join(project, 'rules'), {
      recursive: true,
    });
    await writeFile(
      join(project, 'rules/quotas.yaml'),
      '- { name: daily, client: "*", bytesPerDay: 1000 }\n',
    );
    const resources = await synthesize(`import { App } from 'aws-cdk-lib';
      import { EcrUploadProxyStack, readConfiguration } from 'ecr-upload-proxy/cdk';
      const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
      const configuration = readConfiguration({ repositories: { ecr: ['team-a/*'] }, policyDirectory: 'rules' });
      new EcrUploadProxyStack(app, 'Uploads', configuration);
      app.synth();`);
    // There is a table where quotas are declared, and those that ship declare none.
    expect(resources.map(({ Type }) => Type)).toContain('AWS::DynamoDB::Table');
  });

  it('has types', async () => {
    const program = `import { App, Stack } from 'aws-cdk-lib';
      import { type ConfigurationInput, type Domain, EcrUploadProxy, type EcrUploadProxyProps, EcrUploadProxyStack,
        readConfiguration, type Throttling } from 'ecr-upload-proxy/cdk';
      const app = new App();
      const stack = new Stack(app, 'Uploads');
      const throttling: Throttling = { requestsPerSecond: 100, burst: 200 };
      const props: EcrUploadProxyProps = { repositories: { ecr: ['team-a/*'] }, throttling };
      const proxy = new EcrUploadProxy(stack, 'Proxy', props);
      proxy.functions.get('PutImage')?.lambda.addEnvironment('LOG', proxy.url);
      export const name: Domain['name'] | undefined = proxy.domain?.url;
      const configuration: ConfigurationInput = { repositories: { ecr: ['team-a/*'] }, logRetentionDays: 7 };
      new EcrUploadProxyStack(app, 'Others', readConfiguration(configuration));
      // @ts-expect-error: no repositories
      new EcrUploadProxy(stack, 'None', {});
      // @ts-expect-error: no such registry
      new EcrUploadProxy(stack, 'Other', { repositories: { quay: ['team-a/*'] } });`;
    expect(await typeCheck(project, program)).toBe('');
  });
});
