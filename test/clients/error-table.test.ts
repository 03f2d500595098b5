// The tables against ECR’s service models, as botocore has them: which registry has an operation, and with which errors.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { codesOf, errorCodes } from '../../api/errors.ts';
import { calls, operationNames } from '../../api/operations.ts';
import { boto3, withClient } from './installed.ts';

const program = `
import json, sys
from botocore.session import get_session
models = {name: get_session().get_service_model(name) for name in ("ecr", "ecr-public")}
print(json.dumps({
    f"{name} {operation}": [shape.name for shape in model.operation_model(operation).error_shapes]
    for name, model in models.items() for operation in model.operation_names if operation in sys.argv[1:]
}))
`;

/** A completion sends the part that waits, which may meet a limit of ECR's. */
const besidesTheModel: Readonly<Record<string, readonly string[]>> = {
  CompleteLayerUpload: ['LimitExceededException'],
};

async function readModels() {
  const { stdout } = await promisify(execFile)(boto3.file, ['-c', program, ...operationNames]);
  return z.record(z.string(), z.array(z.string())).parse(JSON.parse(stdout));
}

withClient(boto3, () => {
  it('a registry has the operations that its model has, and no other', async () => {
    const modelled = Object.keys(await readModels()).sort();
    expect(calls.map(({ registry, operation }) => `${registry} ${operation}`).sort()).toEqual(modelled);
  });

  it.each(calls)(
    '$registry $operation can answer what its model has, and nothing of another’s',
    async (call) => {
      const models = await readModels();
      const modelled = new Set(Object.values(models).flat());
      const expected = models[`${call.registry} ${call.operation}`] ?? [];
      const { [call.operation]: besides = [] } = besidesTheModel;
      expect(
        codesOf(call)
          .filter((code) => modelled.has(code))
          .sort(),
      ).toEqual([...expected, ...besides].sort());
      expect(errorCodes).toEqual(expect.arrayContaining(expected));
    },
  );
});
