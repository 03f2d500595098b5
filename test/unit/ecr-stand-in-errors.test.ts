// The stand-in's error table against the AWS SDK's model of the two services.

import * as ecrModule from '@aws-sdk/client-ecr';
import * as ecrPublicModule from '@aws-sdk/client-ecr-public';
import { describe, expect, it } from 'vitest';
import { canAnswer, EcrError, type ErrorName, errorTable } from '../../local/ecr/errors.ts';
import { operationNames, registryNames } from '../../local/ecr/registries.ts';

/** AWS's common errors, which no service model lists. */
const common = new Set([
  'SerializationException',
  'UnknownOperationException',
  'MissingAuthenticationTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'AccessDeniedException',
  'ThrottlingException',
  'RequestEntityTooLargeException',
]);

const models = { ecr: ecrModule, 'ecr-public': ecrPublicModule };
const isErrorName = (name: string): name is ErrorName => name in errorTable;
const rows = Object.keys(errorTable)
  .filter(isErrorName)
  .flatMap((name) => registryNames.map((registry) => ({ name, registry })));

describe('the error table', () => {
  it.each(rows)('$name in $registry is as the SDK has it', ({ name, registry }) => {
    const isAnswered = operationNames.some((operation) => canAnswer({ registry, operation }, name));
    const model: Record<string, unknown> = models[registry];
    if (common.has(name)) {
      expect(model).not.toHaveProperty(name);
    } else if (isAnswered) {
      expect(model).toHaveProperty(name);
    }
  });

  it('has a status of 500 for the server fault alone', () => {
    const failures = Object.entries(errorTable).filter(([, { status }]) => status === 500);
    expect(failures.map(([name]) => name)).toEqual(['ServerException']);
  });

  it('names the error as the wire does', () => {
    const error = new EcrError('EmptyUploadException', 'nothing', { uploadId: 'x' });
    expect([error.name, error.message, error.members]).toEqual([
      'EmptyUploadException',
      'nothing',
      { uploadId: 'x' },
    ]);
  });
});
