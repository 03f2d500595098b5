// A tiny cloud assembly, as `cdk synth` writes one: functions given as source text, and routes to them.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type AssemblyFunction = {
  source: string;
  timeoutSeconds?: number;
  environment?: object;
  reservedConcurrency?: number;
};

/**
 * @param routes `METHOD /path` to the function's name
 * @param others further resources, by logical id
 */
export function writeAssembly(
  functions: Record<string, AssemblyFunction>,
  routes: Record<string, string>,
  others: Record<string, object> = {},
): string {
  const directory = mkdtempSync(join(tmpdir(), 'cloud-assembly-'));
  const resources: Record<string, object> = {
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { BinaryMediaTypes: ['application/octet-stream'] } },
    Bucket: { Type: 'AWS::S3::Bucket', Properties: {} },
    Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
    Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
    ...others,
  };
  const files: Record<string, object> = {};

  for (const [name, { source, timeoutSeconds = 60, environment = {}, reservedConcurrency }] of Object.entries(
    functions,
  )) {
    mkdirSync(join(directory, `asset.${name}`));
    writeFileSync(join(directory, `asset.${name}`, 'index.mjs'), source);
    files[name] = { source: { path: `asset.${name}`, packaging: 'zip' } };
    resources[name] = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Handler: 'index.handler',
        Code: { S3Bucket: { 'Fn::Sub': 'assets-$' + '{AWS::Region}' }, S3Key: `${name}.zip` },
        Environment: { Variables: environment },
        Timeout: timeoutSeconds,
        MemorySize: 512,
        ReservedConcurrentExecutions: reservedConcurrency,
      },
    };
  }

  const resourceOf = (path: string): object => {
    const [, parent = '', part = ''] = /^(.*)\/([^/]*)$/.exec(path) ?? [];
    if (path === '') {
      return { 'Fn::GetAtt': ['Api', 'RootResourceId'] };
    }
    const id = `Resource${Buffer.from(path).toString('hex')}`;
    resources[id] = {
      Type: 'AWS::ApiGateway::Resource',
      Properties: { ParentId: resourceOf(parent), PathPart: part },
    };
    return { Ref: id };
  };
  for (const [route, name] of Object.entries(routes)) {
    const [method, path = ''] = route.split(' ');
    const functionArn = { 'Fn::GetAtt': [name, 'Arn'] };
    const api = 'arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/';
    resources[`Method${Buffer.from(route).toString('hex')}`] = {
      Type: 'AWS::ApiGateway::Method',
      Properties: {
        HttpMethod: method,
        ResourceId: resourceOf(path),
        AuthorizationType: 'NONE',
        Integration: {
          Type: 'AWS_PROXY',
          Uri: { 'Fn::Join': ['', [api, functionArn, '/invocations']] },
        },
      },
    };
  }

  const write = (file: string, content: object) =>
    writeFileSync(join(directory, file), JSON.stringify(content));
  write('Fixture.template.json', { Resources: resources });
  write('Fixture.assets.json', { files });
  write('manifest.json', {
    artifacts: {
      Fixture: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Fixture.template.json' } },
    },
  });
  return directory;
}
