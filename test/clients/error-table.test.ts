// The error table against ECR's service models, as botocore has them: which operation can answer which code.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { codesOf, errorCodes } from '../../api/errors.ts';
import { operationNames } from '../../api/operations.ts';
import { boto3, withClient } from './installed.ts';

const program = `
import json, sys
from botocore.session import get_session
models = {name: get_session().get_service_model(name) for name in ("ecr", "ecr-public")}
print(json.dumps({
    f"{name} {operation}": [shape.name for shape in model.operation_model(operation).error_shapes]
    for name, model in models.items() for operation in sys.argv[1:]
}))
`;

const calls = (['ecr', 'ecr-public'] as const).flatMap((registry) =>
  operationNames.map((operation) => ({ registry, operation })),
);

withClient(boto3, () => {
  it.each(calls)(
    '$registry $operation can answer what its model has, and nothing of another’s',
    async (call) => {
      const { stdout } = await promisify(execFile)(boto3.file, ['-c', program, ...operationNames]);
      const models = z.record(z.string(), z.array(z.string())).parse(JSON.parse(stdout));
      const modelled = new Set(Object.values(models).flat());
      const expected = models[`${call.registry} ${call.operation}`] ?? [];
      expect(
        codesOf(call)
          .filter((code) => modelled.has(code))
          .sort(),
      ).toEqual(expected.sort());
      expect(errorCodes).toEqual(expect.arrayContaining(expected));
    },
  );
});
