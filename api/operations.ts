// The operation table: each operation's route, input, output, policy context and permissions. Everything that lists
// operations (handlers, stack, local gateway, client, tests) iterates over it.

import type { z } from 'zod';
import type { PolicyContext } from './policy-context.ts';
import { pushOperations } from './push-operations.ts';
import type { Usage } from './quotas.ts';
import { readOperations } from './read-operations.ts';
import { everyRegistry, type Registry } from './registries.ts';

/** The groups of actions that a policy may name instead of each. */
export const actionGroups = ['push', 'read'] as const;
export type ActionGroup = (typeof actionGroups)[number];

type Row<Input, Output> = {
  /** What it does, in one sentence. */
  summary: string;
  /** Those whose API has it. */
  registries: readonly Registry[];
  /** In the resource API `{method} /{registry}{path}` answers `status` on success. A GET has its members in path and query. */
  method: 'GET' | 'POST' | 'PUT';
  path: string;
  status: 200 | 201;
  /** The body is a part's raw bytes (`application/octet-stream`) or JSON; other operations take JSON alone. */
  rawBody: boolean;
  /** The largest body it takes, in bytes. */
  maxBodyBytes: number;
  /** The members with what each may hold. Members it does not name are for validate to judge. */
  input: (
    registry: Registry,
  ) => z.ZodType<Input> & { readonly shape: Readonly<Record<string, z.core.$ZodType>> };
  /** What it answers, times as `z.date()`: `api/wire.ts` writes it in the form of each protocol. */
  output: z.ZodType<Output>;
  /** Where an answer may be larger than Lambda's largest: the list that makes it so, and the member that asks for less. */
  bulk?: { readonly list: string; readonly member: string };
  /** The operations that go on with what it answers. */
  next: readonly OperationName[];
  /** Which of the policy's groups its action is in. */
  groups: readonly ActionGroup[];
  /** What the request says, for the policy: `context` of the Cedar action of the operation's name. */
  context: (input: Input) => PolicyContext;
  /** What it uses of the quotas: `bytes` of a layer or a manifest, and `images`. */
  usage: ((input: Input) => Usage | readonly Usage[]) | undefined;
  /** What the log line has besides caller and repository: how many `bytes` the call sends to ECR, and of what. */
  logged: (
    input: Input,
    context: PolicyContext,
  ) => { readonly bytes: number } & Readonly<Record<string, unknown>>;
  /** The actions that the operation's function needs on the repository, of the registry's service prefix in IAM. */
  iamActions: readonly string[];
  /** The S3 actions that it needs on the staged objects. */
  stagingActions: readonly string[];
  /**
   * The DynamoDB actions that it needs to count against quotas: a transaction needs those of its parts. Source: Amazon
   * DynamoDB developer guide, "Using IAM with DynamoDB transactions".
   */
  quotaActions: readonly string[];
};

const table = { ...pushOperations, ...readOperations } as const;

export type OperationName = keyof typeof table;

/** An operation's input after validation, in ECR's member names; `layerPartBlob` as bytes. */
export type Members<Name extends OperationName> = z.output<ReturnType<(typeof table)[Name]['input']>>;

/** What an operation answers, in ECR's member names. */
export type Output<Name extends OperationName> = z.output<(typeof table)[Name]['output']>;

export type OperationRow<Name extends OperationName> = Row<Members<Name>, Output<Name>>;

export const operations: { readonly [Name in OperationName]: OperationRow<Name> } = table;

export const operationNames = Object.keys(table) as readonly OperationName[];

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(table, name);

/** The operations that a registry's API has. */
export type OperationOf<Of extends Registry> = {
  [Name in OperationName]: Of extends (typeof table)[Name]['registries'][number] ? Name : never;
}[OperationName];

/** Whether the registry's API has the operation. */
export const isOffered = ({ operation, registry }: Pick<Call, 'operation' | 'registry'>): boolean =>
  operations[operation].registries.includes(registry);

/** The operations that at least one of the registries has. */
export const operationsOf = (registries: readonly Registry[]): readonly OperationName[] =>
  operationNames.filter((operation) => registries.some((registry) => isOffered({ operation, registry })));

/** What a request asks for, in whichever API. */
export type Call<Name extends OperationName = OperationName> = {
  readonly operation: Name;
  readonly registry: Registry;
  /** The client says that it sends the same request again, having got no answer to the first or a failure. */
  readonly isRepeated?: boolean;
};

/** Every operation of every registry that has it. */
export const calls: readonly Call[] = everyRegistry.flatMap((registry) =>
  operationsOf([registry]).map((operation) => ({ operation, registry })),
);
