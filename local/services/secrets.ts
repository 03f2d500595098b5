// The local Secrets Manager: one secret, which is a file that can be edited while it runs.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import fastify from 'fastify';
import { z } from 'zod';
import { loopback, urlOf } from '../address.ts';

/**
 * The tokens that `npm start` prints, of clients that push and read and of one that may push alone. Fixed, so that what
 * the README shows can be pasted.
 */
export const localTokens = {
  'team-a-ci': 'eup_team-a-ci_local',
  'team-b-ci': 'eup_team-b-ci_local',
  'team-a-device': 'eup_team-a-device_local',
};

type SecretsOptions = {
  /** 0 takes any free one. */
  port: number;
  file: string;
  secretArn: string;
};

const targetPrefix = 'secretsmanager.';

const inputs = {
  GetSecretValue: z.object({ SecretId: z.string() }),
  PutSecretValue: z.object({
    SecretId: z.string(),
    ClientRequestToken: z.string().min(32).max(64),
    SecretString: z.string(),
    VersionStages: z.array(z.string()).length(1),
  }),
  UpdateSecretVersionStage: z.object({
    SecretId: z.string(),
    VersionStage: z.literal('AWSCURRENT'),
    MoveToVersionId: z.string(),
    RemoveFromVersionId: z.string(),
  }),
};

type Version = { versionId: string; text: string };

class SecretsError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** As the stack makes it, with two clients and a sealing key of its own. */
function firstSecret() {
  const createdAt = new Date().toISOString();
  const clients = Object.entries(localTokens).map(([name, token]) => [
    name,
    [{ sha256: sha256(token), createdAt }],
  ]);
  return { clients: Object.fromEntries(clients), sealingKey: randomBytes(32).toString('hex') };
}

/** Whole, whatever ends this process: half a secret would keep the next one from serving. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The file is the current version. Somebody may edit it by hand, which makes it another version. */
function openVersions(file: string, secretArn: string): Readonly<Record<string, (body: unknown) => object>> {
  let current: Version = { versionId: randomUUID(), text: readFileSync(file, 'utf8') };
  const versions = new Map<string, string>();
  const described = { ARN: secretArn, Name: secretArn.split(':').at(-1) };

  const refresh = () => {
    const text = readFileSync(file, 'utf8');
    if (text !== current.text) {
      current = { versionId: randomUUID(), text };
    }
    return current;
  };

  const parse = <T extends { SecretId: string }>(schema: z.ZodType<T>, body: unknown): T => {
    const { data } = schema.safeParse(body);
    if (!data) {
      throw new SecretsError('ValidationException', 'A member is missing or ill-formed.');
    }
    if (data.SecretId === secretArn) {
      return data;
    }
    throw new SecretsError('ResourceNotFoundException', 'Secrets Manager can’t find the specified secret.');
  };

  return {
    GetSecretValue: (body) => {
      parse(inputs.GetSecretValue, body);
      const { versionId: VersionId, text: SecretString } = refresh();
      return { ...described, SecretString, VersionId, VersionStages: ['AWSCURRENT'] };
    },
    PutSecretValue: (body) => {
      const { ClientRequestToken, SecretString, VersionStages } = parse(inputs.PutSecretValue, body);
      versions.set(ClientRequestToken, SecretString);
      return { ...described, VersionId: ClientRequestToken, VersionStages };
    },
    /** Source: API reference: RemoveFromVersionId must match the version to which the label is attached. */
    UpdateSecretVersionStage: (body) => {
      const { MoveToVersionId, RemoveFromVersionId } = parse(inputs.UpdateSecretVersionStage, body);
      const text = versions.get(MoveToVersionId);
      if (text === undefined) {
        throw new SecretsError('ResourceNotFoundException', 'no such version');
      }
      if (RemoveFromVersionId !== refresh().versionId) {
        throw new SecretsError('InvalidParameterException', 'AWSCURRENT is attached to another version');
      }
      replace(file, text);
      current = { versionId: MoveToVersionId, text };
      return described;
    },
  };
}

export async function startSecrets({ port, file, secretArn }: SecretsOptions) {
  if (!existsSync(file)) {
    replace(file, `${JSON.stringify(firstSecret(), null, 2)}\n`);
  }
  const operations = openVersions(file, secretArn);

  const app = fastify({ forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/', async (request, reply) => {
    const operation = String(request.headers['x-amz-target']).replace(targetPrefix, '');
    try {
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (run) {
        return run(JSON.parse(String(request.body)));
      }
      throw new SecretsError(
        'UnknownOperationException',
        `This stand-in knows ${Object.keys(operations).join(', ')} alone.`,
      );
    } catch (error) {
      if (!(error instanceof SecretsError)) {
        throw error;
      }
      return reply.code(400).send({ __type: error.name, message: error.message });
    }
  });
  await app.listen({ host: loopback, port });
  return { url: urlOf(app.server), close: () => app.close() };
}
