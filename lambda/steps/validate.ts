// Step 2, validate: the members that a call came with become an operation's Input.

import { z } from 'zod';
import { type Call, isOffered, type Members, type OperationName, operations } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { unwrapped } from '../../api/query.ts';
import { registries } from '../../api/registries.ts';
import { isWellFormed } from '../../api/well-formed.ts';
import type { IncomingCall } from '../incoming-call.ts';
import { type Fault, invalidMembers, memberNameOf } from '../invalid-members.ts';

/** What a request asks for, in ECR's member names. */
export type Input<Name extends OperationName> = Call<Name> &
  Pick<IncomingCall, 'sending'> & { readonly members: Members<Name> };

type Shape = Readonly<Record<string, z.core.$ZodType>>;

const unknownMember: Fault['expected'] = 'nothing: the operation has no such member';

/** Includes those inside the members. */
function unknownMembers(members: object, known: Shape, path: readonly (string | number)[] = []): Fault[] {
  return Object.entries(members).flatMap(([name, value]: [string, unknown]) =>
    Object.hasOwn(known, name)
      ? unknownWithin(value, known[name], [...path, name])
      : [{ member: [...path, memberNameOf(name)].join('.'), expected: unknownMember }],
  );
}

function unknownWithin(
  value: unknown,
  known: z.core.$ZodType | undefined,
  path: readonly (string | number)[],
): Fault[] {
  const schema = unwrapped(known);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => unknownWithin(item, schema.element, [...path, index]));
  }
  return schema instanceof z.ZodObject && typeof value === 'object' && value !== null
    ? unknownMembers(value, schema.shape, path)
    : [];
}

const faultsOf = (error: z.ZodError | undefined): Fault[] =>
  (error?.issues ?? []).map(({ path, message }) => ({ member: path.join('.'), expected: message }));

/** `parseStrictJson` checks this for fronts that read JSON; others have not checked it. */
const illFormed = (members: object): Fault[] =>
  Object.entries(members)
    .filter(([, value]) => !isWellFormed(value))
    .map(([member]) => ({ member, expected: 'well-formed Unicode' }));

/** What validate needs of a call. */
type Asked<Name extends OperationName> = Pick<
  IncomingCall<Name>,
  'operation' | 'registry' | 'isRepeated' | 'sending' | 'readMembers' | 'refusesUnknownMembers'
>;

/**
 * The only reader of the members: no body is read before this step.
 *
 * @throws UnsupportedCommandException for an operation that the registry does not have;
 *   InvalidParameterException naming the first members that are wrong and what was expected of each;
 *   what the front's `readMembers` throws.
 */
export async function validate<Name extends OperationName>(call: Asked<Name>): Promise<Input<Name>> {
  const { operation, registry, isRepeated = false, sending, refusesUnknownMembers } = call;
  if (!isOffered(call)) {
    throw new ProxyError(
      'UnsupportedCommandException',
      `${registries[registry].title}’s API has no ${operation}.`,
    );
  }
  const members = await call.readMembers();
  const schema = operations[operation].input(registry);
  const { data, error } = schema.safeParse(members);
  const unknown = refusesUnknownMembers ? unknownMembers(members, schema.shape) : [];
  const faults = [...faultsOf(error), ...unknown, ...illFormed(data ?? {})];
  if (data !== undefined && faults.length === 0) {
    return { operation, registry, isRepeated, ...(sending && { sending }), members: data };
  }
  throw invalidMembers([...new Map(faults.map((fault) => [fault.member, fault])).values()]);
}
