// Who may do what in the programs: as Cedar's policies, and as the model knows it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openPolicies } from '../../policy/policies.ts';
import { readPolicyText } from '../../policy/policy-files.ts';

export const repositories = ['team/app', 'team/other'] as const;
export type Repository = (typeof repositories)[number];

/** The last one may ask what is there, and push nothing. */
export const clients = ['a', 'b', 'c'] as const;
export type Client = (typeof clients)[number];

const text = `
  permit (principal == Client::"a", action in Action::"push", resource) when { resource.namespace == "team" };
  permit (principal == Client::"b", action in [Action::"push", Action::"read"], resource);
  @message("b has one repository")
  forbid (principal == Client::"b", action, resource) unless { resource.name == "team/app" };
  permit (principal == Client::"c", action in Action::"read", resource);
`;

/** Cedar's own decisions, by the schema that deploys. */
export const openRights = () =>
  openPolicies({
    schema: readFileSync(
      fileURLToPath(new URL('../../policies/schema.cedarschema', import.meta.url)),
      'utf8',
    ),
    policies: readPolicyText('rights.cedar', text),
  });

/** Who is named here is refused elsewhere, and who is not, everywhere. */
const pushes: Readonly<Record<Client, readonly Repository[]>> = {
  a: repositories,
  b: ['team/app'],
  c: [],
};

export const mayPush = (client: Client, repositoryName: Repository): boolean =>
  pushes[client].includes(repositoryName);
