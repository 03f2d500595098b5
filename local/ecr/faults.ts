// Faults that tests arm: what can go wrong between a caller and ECR, and on which call.

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { canAnswer, EcrError, type ErrorName } from './errors.ts';
import { type Call, operationNames, registryNames } from './registries.ts';

/** The answer of a call whose connection is to be closed without one. */
export const dropped = Symbol('dropped');

type Work = () => Promise<object>;
type Outcome = object | typeof dropped;
type FaultRow = {
  readonly act: (work: Work, delayMs: number) => Promise<Outcome>;
  /** Where the fault is an error of ECR's: it strikes only calls that ECR can answer so. */
  readonly error?: ErrorName;
};

const answering = (
  error: ErrorName,
  message: string,
  members: Readonly<Record<string, string>> = {},
): FaultRow => ({ error, act: async () => Promise.reject(new EcrError(error, message, members)) });

const faultTable = {
  throttle: answering('ThrottlingException', 'Rate exceeded'),
  'server-error': answering('ServerException', 'An internal error has occurred'),
  'kms-error': answering('KmsException', 'The operation failed due to a KMS exception', {
    kmsError: 'DisabledException',
  }),
  'no-registry': answering('RegistryNotFoundException', 'The registry does not exist'),
  unsupported: answering('UnsupportedCommandException', 'The action is not supported in this Region'),
  limit: answering('LimitExceededException', 'The operation would exceed a service limit for your account'),
  'access-denied': answering('AccessDeniedException', 'User is not authorized to perform this operation'),
  delay: {
    act: async (work, delayMs) => {
      await sleep(delayMs);
      return work();
    },
  },
  'drop-before': { act: async () => dropped },
  'drop-after': {
    act: async (work) => {
      await Promise.allSettled([work()]);
      return dropped;
    },
  },
} as const satisfies Record<string, FaultRow>;

type FaultName = keyof typeof faultTable;

const faultNames: readonly FaultName[] = [
  'throttle',
  'server-error',
  'kms-error',
  'no-registry',
  'unsupported',
  'limit',
  'access-denied',
  'delay',
  'drop-before',
  'drop-after',
];

/** `times` calls are struck after `skip` matching ones have passed; without `operation` every call matches. */
const faultSchema = z
  .strictObject({
    fault: z.enum(faultNames),
    operation: z.enum(operationNames).optional(),
    times: z.int().min(1).default(1),
    skip: z.int().min(0).default(0),
    delayMs: z.int().min(0).max(600_000).optional(),
  })
  .refine(({ fault, delayMs }) => (fault === 'delay') === (delayMs !== undefined), {
    error: 'needed with the fault "delay", and only there',
    path: ['delayMs'],
  })
  .refine(({ fault, operation }) => strikesAny(fault, operation ? [operation] : operationNames), {
    error: 'ECR does not answer this operation so',
    path: ['operation'],
  });

export type Fault = z.output<typeof faultSchema>;

export class Faults {
  #armed: Fault[] = [];

  get armed(): readonly Fault[] {
    return this.#armed;
  }

  /** @throws {z.ZodError} saying what a fault may be */
  arm(fault: unknown): void {
    this.#armed.push(faultSchema.parse(fault));
  }

  clear(): void {
    this.#armed = [];
  }

  /** Does `work`, unless a fault strikes `call`: the first that is armed for it and has none left to skip. */
  strike(call: Call, work: Work): Promise<Outcome> {
    const fault = this.#take(call);
    if (!fault) {
      return work();
    }
    return faultTable[fault.fault].act(work, fault.delayMs ?? 0);
  }

  #take(call: Call): Fault | undefined {
    for (const fault of this.#armed) {
      if (!matches(fault, call)) {
        continue;
      }
      if (fault.skip === 0) {
        fault.times -= 1;
        this.#armed = this.#armed.filter(({ times }) => times > 0);
        return fault;
      }
      fault.skip -= 1;
    }
    return undefined;
  }
}

function matches({ fault, operation }: Fault, call: Call): boolean {
  const { error }: FaultRow = faultTable[fault];
  return (operation ?? call.operation) === call.operation && (!error || canAnswer(call, error));
}

function strikesAny(fault: FaultName, operations: readonly Call['operation'][]): boolean {
  const { error }: FaultRow = faultTable[fault];
  return operations.some((operation) =>
    registryNames.some((registry) => !error || canAnswer({ registry, operation }, error)),
  );
}
