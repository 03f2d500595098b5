// The functions' two fronts: the resource API and the AWS API.

import { awsFormOf } from '../../api/aws-form.ts';
import { type ErrorRow, errors } from '../../api/errors.ts';
import type { Front } from './front.ts';
import { deathCode } from './function-death.ts';
import { publicSituations, situationsOf } from './function-pushes.ts';
import { type FunctionRequest, servedBy, serveFunctions } from './function-serving.ts';
import { digest, repositoryName } from './layer.ts';

const warmUp: FunctionRequest = {
  operation: 'BatchCheckLayerAvailability',
  members: { repositoryName, layerDigests: [digest] },
};

export const resourceFront: Front<FunctionRequest> = {
  name: 'resource API',
  registry: 'ecr',
  situations: situationsOf(servedBy.resource),
  serve: async (open) => serveFunctions('resource', 'ecr', open),
  warmUp,
  formOf: (code) => ({ status: errors[code].status, code }),
  death: deathCode,
  tellsWhen: true,
};

export const awsFront: Front<FunctionRequest> = {
  name: 'AWS API',
  registry: 'ecr',
  isOverAnother: true,
  situations: situationsOf(servedBy.aws),
  serve: async (open) => serveFunctions('aws', 'ecr', open),
  warmUp,
  formOf: (code) => {
    const { detail, title }: ErrorRow = errors[code];
    const { status, type } = awsFormOf({ code, message: detail ?? title });
    return { status, code: type };
  },
  death: deathCode,
  tellsWhen: false,
};

const ofEcrPublic = {
  registry: 'ecr-public',
  situations: publicSituations,
} as const;

export const publicResourceFront: Front<FunctionRequest> = {
  ...resourceFront,
  ...ofEcrPublic,
  serve: async (open) => serveFunctions('resource', 'ecr-public', open),
};

export const publicAwsFront: Front<FunctionRequest> = {
  ...awsFront,
  ...ofEcrPublic,
  serve: async (open) => serveFunctions('aws', 'ecr-public', open),
};
