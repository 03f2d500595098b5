// The synthesized template, read into what is served locally: routes, functions, the container, buckets, secrets.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Account } from '../account.ts';
import type { HeaderList } from '../gateway/headers.ts';
import { type Container, readContainer, taskDefinition } from '../registry/container.ts';
import { type Resolve, resolver } from './intrinsics.ts';

export type LambdaFunction = {
  name: string;
  /** `file.export`, as Lambda has it. */
  handler: string;
  /** The directory of the bundle: the task root. */
  directory: string;
  environment: Readonly<Record<string, string>>;
  timeoutMs: number;
  memorySizeMegabytes: number;
  /** How many of it may run at once, where the template says so. */
  reservedConcurrentExecutions: number | undefined;
};

/** `path` as API Gateway writes it: `/ecr/layer-uploads/{uploadId}/parts`. */
export type Route = { method: string; path: string; functionName: string };

/** How the template wants one of API Gateway's own answers. */
export type CustomResponse = { status: number | undefined; headers: HeaderList; body: string | undefined };

export type LocalTemplate = {
  routes: readonly Route[];
  /** By API Gateway's response type. */
  gatewayResponses: ReadonlyMap<string, CustomResponse>;
  functions: readonly LambdaFunction[];
  /** Of the registry endpoint. */
  containers: readonly Container[];
  binaryMediaTypes: readonly string[];
  bucketNames: readonly string[];
  secretArns: readonly string[];
  tableNames: readonly string[];
};

const manifest = z.object({
  artifacts: z.record(z.string(), z.object({ type: z.string(), properties: z.unknown() })),
});
const stackProperties = z.object({ templateFile: z.string() });
const assets = z.object({
  files: z.record(z.string(), z.object({ source: z.object({ path: z.string() }) })),
});
const template = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown() })),
});
const restApi = z.object({ BinaryMediaTypes: z.array(z.string()).default([]) });
const apiResource = z.object({
  ParentId: z.unknown(),
  PathPart: z.string().refine((part) => !part.endsWith('+}'), 'the local gateway knows no greedy parameter'),
});
const apiMethod = z.object({
  HttpMethod: z.enum(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']),
  ResourceId: z.unknown(),
  AuthorizationType: z.literal('NONE'),
  Integration: z.object({ Type: z.literal('AWS_PROXY'), Uri: z.unknown() }),
});
/** Templates may name the request's id, and fixed headers are in single quotes: no other mapping is known here. */
const gatewayResponse = z.object({
  ResponseType: z.string(),
  StatusCode: z.coerce.number().optional(),
  ResponseParameters: z
    .record(z.string().startsWith('gatewayresponse.header.'), z.string().regex(/^'.*'$/))
    .default({}),
  ResponseTemplates: z
    .strictObject({ 'application/json': z.string().regex(/^(?:[^$]|\$context\.requestId)*$/) })
    .optional(),
});

const lambdaFunction = z.object({
  Handler: z.string(),
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).default({ Variables: {} }),
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  ReservedConcurrentExecutions: z.int().min(0).optional(),
});

/**
 * @param cdkOut a cloud assembly with one stack in it
 * @throws Error (of zod, or of the intrinsics) for a template that holds what the gateway does not know
 */
export function readTemplate(cdkOut: string, account: Account): LocalTemplate {
  const read = <T>(schema: z.ZodType<T>, file: string): T =>
    schema.parse(JSON.parse(readFileSync(join(cdkOut, file), 'utf8')));

  const stacks = Object.entries(read(manifest, 'manifest.json').artifacts).filter(
    ([, { type }]) => type === 'aws:cloudformation:stack',
  );
  const [only, ...others] = stacks;
  if (!only || others.length > 0) {
    throw new Error(`${cdkOut} holds ${stacks.length} stacks; the local gateway serves one`);
  }
  const [stackName, stack] = only;
  const { Resources: resources } = read(template, stackProperties.parse(stack.properties).templateFile);
  const { files } = read(assets, `${stackName}.assets.json`);
  const resolve = resolver(resources, account);

  const ofType = <T>(type: string, schema: z.ZodType<T>): [id: string, properties: T][] =>
    Object.entries(resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, { Properties }]) => [id, schema.parse(Properties)]);
  const namesOf = (type: string) => ofType(type, z.unknown()).map(([id]) => resolve({ Ref: id }));

  const assetDirectory = (s3Key: string): string => {
    const asset = files[basename(s3Key, '.zip')];
    if (!asset) {
      throw new Error(`no asset ${s3Key} in ${stackName}.assets.json`);
    }
    return join(cdkOut, asset.source.path);
  };

  return {
    routes: readRoutes(
      new Map(ofType('AWS::ApiGateway::Resource', apiResource)),
      ofType('AWS::ApiGateway::Method', apiMethod).map(([, method]) => method),
      resolve,
    ),
    gatewayResponses: new Map(
      ofType('AWS::ApiGateway::GatewayResponse', gatewayResponse).map(([, response]) => [
        response.ResponseType,
        readGatewayResponse(response),
      ]),
    ),
    functions: ofType('AWS::Lambda::Function', lambdaFunction).map(([name, properties]) => ({
      name,
      handler: properties.Handler,
      directory: assetDirectory(properties.Code.S3Key),
      environment: Object.fromEntries(
        Object.entries(properties.Environment.Variables).map(([key, value]) => [key, resolve(value)]),
      ),
      timeoutMs: properties.Timeout * 1_000,
      memorySizeMegabytes: properties.MemorySize,
      reservedConcurrentExecutions: properties.ReservedConcurrentExecutions,
    })),
    containers: ofType('AWS::ECS::TaskDefinition', taskDefinition).map(([, definition]) =>
      readContainer(definition, resolve, cdkOut),
    ),
    binaryMediaTypes: ofType('AWS::ApiGateway::RestApi', restApi).flatMap(([, api]) => api.BinaryMediaTypes),
    bucketNames: namesOf('AWS::S3::Bucket'),
    secretArns: namesOf('AWS::SecretsManager::Secret'),
    tableNames: namesOf('AWS::DynamoDB::Table'),
  };
}

const readGatewayResponse = (response: z.output<typeof gatewayResponse>): CustomResponse => ({
  status: response.StatusCode,
  headers: Object.entries(response.ResponseParameters).map(([name, value]) => [
    name.replace('gatewayresponse.header.', ''),
    value.slice(1, -1),
  ]),
  body: response.ResponseTemplates?.['application/json'],
});

const reference = z.object({ Ref: z.string() });

function readRoutes(
  apiResources: ReadonlyMap<string, z.output<typeof apiResource>>,
  methods: readonly z.output<typeof apiMethod>[],
  resolve: Resolve,
): Route[] {
  /** The tree's root is an attribute of the API, not a resource: a parent that is no `Ref` ends the path. */
  const pathOf = (resourceId: unknown): string => {
    const resource = apiResources.get(reference.safeParse(resourceId).data?.Ref ?? '');
    return resource ? `${pathOf(resource.ParentId)}/${resource.PathPart}` : '';
  };
  return methods.map(({ HttpMethod, ResourceId, Integration }) => {
    const uri = resolve(Integration.Uri);
    const functionName = /:function:(?<name>[^:/]+)\/invocations$/.exec(uri)?.groups?.name;
    if (!functionName) {
      throw new Error(`not a Lambda function: ${uri}`);
    }
    return { method: HttpMethod, path: pathOf(ResourceId) || '/', functionName };
  });
}
