// The local Secrets Manager: GetSecretValue of one secret, which is a file that can be edited while it runs.

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import fastify from 'fastify';
import { z } from 'zod';
import { loopback, urlOf } from './address.ts';

/** The tokens that `npm start` prints. Fixed, so that what the README shows can be pasted. */
export const localTokens = { 'team-a-ci': 'eup_team-a-ci_local', 'team-b-ci': 'eup_team-b-ci_local' };

export type SecretsOptions = {
  /** 0 takes any free one. */
  port: number;
  file: string;
  secretArn: string;
};

const target = 'secretsmanager.GetSecretValue';
const input = z.object({ SecretId: z.string() });

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** As the stack makes it, with two clients and a sealing key of its own. */
const firstSecret = () => {
  const createdAt = new Date().toISOString();
  const clients = Object.entries(localTokens).map(([name, token]) => [
    name,
    [{ sha256: sha256(token), createdAt }],
  ]);
  return { clients: Object.fromEntries(clients), sealingKey: randomBytes(32).toString('hex') };
};

export const startSecrets = async ({ port, file, secretArn }: SecretsOptions) => {
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(firstSecret(), null, 2)}\n`, { mode: 0o600 });

  const app = fastify({ forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/', async (request, reply) => {
    const refuse = (name: string, message: string) => reply.code(400).send({ __type: name, message });
    if (request.headers['x-amz-target'] !== target) {
      return refuse('UnknownOperationException', `This stand-in knows ${target} alone.`);
    }
    const { data } = input.safeParse(JSON.parse(String(request.body)));
    if (!data) return refuse('ValidationException', 'SecretId is missing.');
    if (data.SecretId !== secretArn) {
      return refuse('ResourceNotFoundException', 'Secrets Manager can’t find the specified secret.');
    }
    return {
      ARN: secretArn,
      Name: secretArn.split(':').at(-1),
      SecretString: await readFile(file, 'utf8'),
      VersionId: 'local',
      VersionStages: ['AWSCURRENT'],
    };
  });
  await app.listen({ host: loopback, port });
  return { url: urlOf(app.server), close: () => app.close() };
};
