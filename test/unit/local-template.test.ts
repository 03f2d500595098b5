// The synthesized template as the local gateway reads it: intrinsics with local values, and nothing unknown.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localAccount } from '../../local/account.ts';
import { resolver } from '../../local/template/intrinsics.ts';
import { readTemplate } from '../../local/template/template.ts';
import { writeAssembly } from '../support/cloud-assembly.ts';

const resolve = resolver(
  {
    Bucket: { Type: 'AWS::S3::Bucket' },
    Function: { Type: 'AWS::Lambda::Function' },
    Queue: { Type: 'AWS::SQS::Queue' },
  },
  localAccount,
);

/** CloudFormation's placeholders look like JavaScript's. */
const sub = (text: string) => ({ 'Fn::Sub': text.replaceAll('<', '${').replaceAll('>', '}') });

describe('intrinsics', () => {
  it.each([
    ['text', 'text', 'text'],
    ['a number', 30, '30'],
    ['Ref of a bucket', { Ref: 'Bucket' }, 'bucket'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['GetAtt', { 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'arn:aws:s3:::bucket'],
    ['Join', { 'Fn::Join': ['/', ['a', { Ref: 'Bucket' }]] }, 'a/bucket'],
    ['Sub of a Ref', sub('x-<Bucket>-<AWS::AccountId>'), 'x-bucket-123456789012'],
    [
      'Sub of an attribute',
      sub('<Function.Arn>:1'),
      'arn:aws:lambda:eu-central-1:123456789012:function:Function:1',
    ],
    ['Sub of a literal', sub('<!Name>'), '$' + '{Name}'],
  ])('%s has a local value', (_, value, expected) => {
    expect(resolve(value)).toBe(expected);
  });

  it.each([
    ['a resource that is not there', { Ref: 'Nowhere' }, /Ref Nowhere/],
    ['a resource of another type', { Ref: 'Queue' }, /Ref Queue \(AWS::SQS::Queue\)/],
    ['another attribute', { 'Fn::GetAtt': ['Bucket', 'DomainName'] }, /Bucket\.DomainName/],
    ['another intrinsic', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue/],
    ['two intrinsics at once', { Ref: 'Bucket', 'Fn::Join': ['', []] }, /No local value/],
    ['a list', ['a'], /No local value/],
  ])('%s is refused', (_, value, message) => {
    expect(() => resolve(value)).toThrow(message);
  });
});

describe('the template', () => {
  const source = 'export const handler = () => ({});';
  const functions = {
    Upload: {
      source,
      timeoutSeconds: 28,
      environment: { BUCKET: { Ref: 'Bucket' } },
      reservedConcurrency: 50,
    },
  };

  it('gives routes, functions, buckets and secrets', () => {
    const cdkOut = writeAssembly(functions, { 'PUT /a/{b}/c': 'Upload', 'POST /a': 'Upload' });
    expect(readTemplate(cdkOut, localAccount)).toEqual({
      routes: [
        { method: 'PUT', path: '/a/{b}/c', functionName: 'Upload' },
        { method: 'POST', path: '/a', functionName: 'Upload' },
      ],
      gatewayResponses: new Map(),
      functions: [
        {
          name: 'Upload',
          handler: 'index.handler',
          directory: join(cdkOut, 'asset.Upload'),
          environment: { BUCKET: 'bucket' },
          timeoutMs: 28_000,
          memorySizeMegabytes: 512,
          reservedConcurrentExecutions: 50,
        },
      ],
      containers: [],
      binaryMediaTypes: ['application/octet-stream'],
      bucketNames: ['bucket'],
      tableNames: [],
      secretArns: ['arn:aws:secretsmanager:eu-central-1:123456789012:secret:Secret-local0'],
    });
  });

  const gatewayResponse = (more: object) => ({
    Busy: { Type: 'AWS::ApiGateway::GatewayResponse', Properties: { ResponseType: 'THROTTLED', ...more } },
  });

  it('gives the answers that it wants of API Gateway', () => {
    const response = gatewayResponse({
      StatusCode: '429',
      ResponseParameters: { 'gatewayresponse.header.Retry-After': "'2'" },
      ResponseTemplates: { 'application/json': '{"id":"$context.requestId"}' },
    });
    expect(readTemplate(writeAssembly({}, {}, response), localAccount).gatewayResponses).toEqual(
      new Map([
        ['THROTTLED', { status: 429, headers: [['Retry-After', '2']], body: '{"id":"$context.requestId"}' }],
      ]),
    );
  });

  it.each([
    ['another variable', { ResponseTemplates: { 'application/json': '$context.error.message' } }],
    [
      'a header of the request',
      { ResponseParameters: { 'gatewayresponse.header.X': 'method.request.header.X' } },
    ],
  ])('with an answer that has %s, which is not modelled, is refused', (_, more) => {
    expect(() => readTemplate(writeAssembly({}, {}, gatewayResponse(more)), localAccount)).toThrow();
  });

  it('with a value that has no local counterpart is refused', () => {
    const environment = { QUEUE: { Ref: 'Queue' } };
    const cdkOut = writeAssembly({ Upload: { source, environment } }, {});
    expect(() => readTemplate(cdkOut, localAccount)).toThrow(/Queue/);
  });

  const taskOf = (more: object = {}) => ({
    Task: {
      Type: 'AWS::ECS::TaskDefinition',
      Properties: {
        ContainerDefinitions: [
          {
            Image: sub(
              `<AWS::AccountId>.dkr.ecr.<AWS::Region>.amazonaws.com/server@sha256:${'a'.repeat(64)}`,
            ),
            EntryPoint: ['/opt/server/node'],
            Command: ['/opt/server/main.mjs'],
            WorkingDirectory: '/opt/server',
            Environment: [
              { Name: 'PORT', Value: '3000' },
              { Name: 'SECRET_ID', Value: { Ref: 'Secret' } },
            ],
            PortMappings: [{ ContainerPort: 3_000, Protocol: 'tcp' }],
            ...more,
          },
        ],
      },
    },
  });

  it('gives the container that a task runs, with its image in a folder of the assembly', () => {
    const cdkOut = writeAssembly({}, {}, taskOf());
    const directory = join(cdkOut, `image.${'a'.repeat(64)}`);
    expect(readTemplate(cdkOut, localAccount).containers).toEqual([
      {
        directory,
        args: [join(directory, 'main.mjs')],
        environment: {
          PORT: '3000',
          SECRET_ID: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:Secret-local0',
        },
      },
    ]);
  });

  it.each([
    [
      'an image by its tag',
      { Image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/server:1.0' },
      /digest/,
    ],
    ['another program than Node.js', { EntryPoint: ['/bin/sh'] }, /EntryPoint/],
    ['a port at which nobody listens', { PortMappings: [{ ContainerPort: 80 }] }, /listens at 3000/],
    [
      'a value of another stack',
      { Environment: [{ Name: 'A', Value: { 'Fn::ImportValue': 'x' } }] },
      /Import/,
    ],
  ])('with a task of %s is refused', (_, more, message) => {
    expect(() => readTemplate(writeAssembly({}, {}, taskOf(more)), localAccount)).toThrow(message);
  });

  it.each(['ANY /a', 'GET /{proxy+}'])('with the route %s, which is not modelled, is refused', (route) => {
    const cdkOut = writeAssembly({ Upload: { source } }, { [route]: 'Upload' });
    expect(() => readTemplate(cdkOut, localAccount)).toThrow();
  });

  it('that is not there is refused', () => {
    expect(() => readTemplate('/nowhere', localAccount)).toThrow(/ENOENT/);
  });
});
