// Step 2, validate: the members that a call came with become an operation's Input.

import type { z } from 'zod';
import { type Call, type Members, type OperationName, operations } from '../../api/operations.ts';
import type { IncomingCall, RawMembers } from '../incoming-call.ts';
import { type Fault, invalidMembers, memberNameOf } from '../invalid-members.ts';

/** What a request asks for, in ECR's member names. */
export type Input<Name extends OperationName> = Call<Name> &
  Pick<IncomingCall, 'sending'> & { readonly members: Members<Name> };

const unknownMembers = (members: RawMembers, known: Readonly<Record<string, unknown>>): Fault[] =>
  Object.keys(members)
    .filter((member) => !Object.hasOwn(known, member))
    .map((member) => ({
      member: memberNameOf(member),
      expected: 'nothing: the operation has no such member',
    }));

const faultsOf = (error: z.ZodError | undefined): Fault[] =>
  (error?.issues ?? []).map(({ path, message }) => ({ member: path.join('.'), expected: message }));

const isWellFormed = (value: unknown): boolean =>
  typeof value === 'string' ? value.isWellFormed() : !Array.isArray(value) || value.every(isWellFormed);

/** A front that reads no JSON has not looked: `parseStrictJson` does for those that do. */
const illFormed = (members: object): Fault[] =>
  Object.entries(members)
    .filter(([, value]) => !isWellFormed(value))
    .map(([member]) => ({ member, expected: 'well-formed Unicode' }));

/** What it needs to know of a call. */
type Asked<Name extends OperationName> = Pick<
  IncomingCall<Name>,
  'operation' | 'registry' | 'isRepeated' | 'sending' | 'readMembers' | 'refusesUnknownMembers'
>;

/**
 * The only one who asks for the members: where it is a body that they are read from, none is read before.
 *
 * @throws InvalidParameterException naming the first members that are wrong and what was expected of each;
 *   what the front throws that reads them.
 */
export async function validate<Name extends OperationName>(call: Asked<Name>): Promise<Input<Name>> {
  const { operation, registry, isRepeated = false, sending, refusesUnknownMembers } = call;
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
