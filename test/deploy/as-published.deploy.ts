// `npm run test:deploy`: the main configurations, deployed by `cdk deploy` as it is typed into moto as it is published.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { Lambda } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { configurationNames, configurations } from '../support/stacks.ts';
import { fargateConfigurations } from './fargate-account.ts';
import { bootstrap, type Moto, startMoto } from './moto.ts';
import { skippedTypes, unknownToMoto } from './unknown-to-moto.ts';

const directory = join(import.meta.dirname, '../../.local/deploy-as-published');
const logFile = join(directory, 'moto.log');
const stackNameOf = (name: string) => `Published-${name}`;
const outputOf = (name: string) => join(directory, `${name}.cdk.out`);

let moto: Moto;
let cloudFormation: CloudFormation;
let inAccount: Record<string, object>;

function onStack(name: string, ...args: string[]) {
  const file = join(directory, `${name}.json`);
  const ofTest = { stackName: stackNameOf(name), terminationProtection: false };
  writeFileSync(file, JSON.stringify({ ...inAccount[name], ...ofTest }));
  return moto.cdk(...args, '--all', '-c', `ecr-upload-proxy=${file}`, '--output', outputOf(name));
}

const templateOf = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

/** How many functions the stack is to have. */
function countFunctions(name: string): number {
  const file = join(outputOf(name), `${stackNameOf(name)}.template.json`);
  const { Resources } = templateOf.parse(JSON.parse(readFileSync(file, 'utf8')));
  return Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function').length;
}

beforeAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  moto = await startMoto(logFile, { asPublished: true });
  cloudFormation = new CloudFormation(moto.clientConfig);
  inAccount = { ...configurations, ...(await fargateConfigurations(moto)) };
  await moto.cdk(...bootstrap(outputOf('bootstrap')));
});
afterAll(() => moto?.close());

it.each(configurationNames)(
  'the configuration "%s" is deployed',
  async (name) => {
    await onStack(name, 'deploy', '--require-approval', 'never');
    const { Stacks } = await cloudFormation.describeStacks({ StackName: stackNameOf(name) });
    expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
    const { Functions = [] } = await new Lambda(moto.clientConfig).listFunctions({ MaxItems: 1_000 });
    const own = Functions.filter(({ FunctionName }) => FunctionName?.startsWith(`${stackNameOf(name)}-`));
    expect(own).toHaveLength(countFunctions(name));
  },
  300_000,
);

const ecs = (operation: string, body: object) =>
  moto.askInJson('ecs', `AmazonEC2ContainerServiceV20141113.${operation}`, body);
const clusters = z.object({ clusterArns: z.array(z.string()) });
const services = z.object({ serviceArns: z.array(z.string()) });
const described = z.object({ services: z.array(z.object({ taskDefinition: z.string() })) });

it.each(['fargate', 'fargate-own-vpc'])('the service of "%s" runs the image by its digest', async (name) => {
  const { clusterArns } = clusters.parse(await ecs('ListClusters', {}));
  const cluster = clusterArns.find((arn) => arn.includes(`/${stackNameOf(name)}-Registry`));
  const { serviceArns } = services.parse(await ecs('ListServices', { cluster }));
  const found = described.parse(await ecs('DescribeServices', { cluster, services: serviceArns })).services;
  expect(found).toHaveLength(1);
  const definition = await ecs('DescribeTaskDefinition', { taskDefinition: found[0]?.taskDefinition });
  expect(definition).toMatchObject({
    taskDefinition: {
      containerDefinitions: [
        {
          image: expect.stringMatching(/@sha256:b{64}$/),
          user: '65532:65532',
          readonlyRootFilesystem: true,
        },
      ],
    },
  });
});

it('moto was given nothing that it does not know but what is listed', () => {
  for (const type of skippedTypes(logFile)) {
    expect(Object.keys(unknownToMoto)).toContain(type);
  }
});
