// One task: the server in a container that can write nothing, with what it needs to take many uploads at once.

import { Aws, Duration, Size } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import {
  AwsLogDriverMode,
  Capability,
  ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
  UlimitName,
} from 'aws-cdk-lib/aws-ecs';
import { type IRole, Role } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledgements.ts';
import type { FargateConfiguration } from './configuration.ts';
import { ecsTasks } from './ecs-tasks.ts';
import { imageDirectory, nodePath, serverPath } from './image-contents.ts';
import { readImageReference } from './image-reference.ts';
import { healthPath, serverPort } from './server-environment.ts';
import type { Times } from './times.ts';

export type TaskProps = Pick<FargateConfiguration, 'image' | 'cpu' | 'memoryMegabytes'> & {
  taskRole: IRole;
  logGroup: LogGroup;
  environment: Record<string, string>;
  times: Times;
};

/** An upload has one socket to its client and up to two to ECR: 1,024 descriptors, the default, are soon used up. */
const maxDescriptors = 65_536;

/** Nobody in particular, who owns no file. */
const user = '65532:65532';

/** Run without a shell, which the image need not have. */
const healthScript = `fetch('http://127.0.0.1:${serverPort}${healthPath}').then(({ok})=>process.exit(ok?0:1),()=>process.exit(1))`;

export class Task extends FargateTaskDefinition {
  constructor(scope: Construct, id: string, props: TaskProps) {
    super(scope, id, {
      cpu: props.cpu,
      memoryLimitMiB: props.memoryMegabytes,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      taskRole: props.taskRole,
      executionRole: new Role(scope, 'ExecutionRole', {
        assumedBy: ecsTasks(scope),
        description: 'ecr-upload-proxy: starts tasks of the registry endpoint, and writes their log.',
      }),
    });
    const { account, region, repositoryName, digest } = readImageReference(props.image);
    const repository = Repository.fromRepositoryAttributes(this, 'Repository', {
      repositoryName,
      repositoryArn: `arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${repositoryName}`,
    });
    const linuxParameters = new LinuxParameters(this, 'LinuxParameters');
    linuxParameters.dropCapabilities(Capability.ALL);
    this.addContainer('Server', {
      containerName: 'server',
      image: ContainerImage.fromEcrRepository(repository, digest),
      entryPoint: [nodePath],
      command: [serverPath],
      workingDirectory: imageDirectory,
      user,
      readonlyRootFilesystem: true,
      linuxParameters,
      environment: { AWS_REGION: Aws.REGION, ...props.environment },
      portMappings: [{ containerPort: serverPort }],
      ulimits: [{ name: UlimitName.NOFILE, softLimit: maxDescriptors, hardLimit: maxDescriptors }],
      healthCheck: {
        command: ['CMD', nodePath, '-e', healthScript],
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(30),
      },
      stopTimeout: Duration.seconds(props.times.stopSeconds),
      // A log that cannot be written must not hold up the process, and with it every push.
      logging: LogDrivers.awsLogs({
        logGroup: props.logGroup,
        streamPrefix: 'registry',
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(25),
      }),
    });
    acknowledgeWildcards(
      this.obtainExecutionRole(),
      ['*'],
      'ecr:GetAuthorizationToken knows no other resource.',
    );
  }
}
