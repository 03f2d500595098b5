// What AWS's services and an issuer hold, in memory, and how each answers as long as nothing is wrong.

import { createHash } from 'node:crypto';
import { ECRServiceException, InvalidLayerPartException } from '@aws-sdk/client-ecr';
import { isOperationName } from '../../api/operations.ts';
import { makeKey } from '../support/issuer.ts';
import { tokens } from '../support/resource-api.ts';
import { tableInMemory } from '../support/table-in-memory.ts';
import { type Answer, type Asked, errorAnswer, jsonAnswer, type Service } from './answers.ts';
import { ecrRepository } from './ecr-repository.ts';
import { stagingBucket } from './staging-bucket.ts';

const sha256 = createHash('sha256').update(tokens.a).digest('hex');

/** With one client and one sealing key. */
const secret = JSON.stringify({
  clients: { 'team-a-ci': [{ sha256, createdAt: '2026-01-01T00:00:00Z' }] },
  sealingKey: 'k'.repeat(64),
});

export const issuerKey = makeKey('key-1', 'ES256');

/** Puts a map's entries back as they are now: what is in them is replaced, and never changed. */
function keep<Key, Value>(map: Map<Key, Value>): () => void {
  const entries = [...map];
  return () => {
    map.clear();
    for (const [key, value] of entries) {
      map.set(key, value);
    }
  };
}

export function awsState() {
  const ecr = ecrRepository();
  const staging = stagingBucket();
  const table = tableInMemory();
  const keepAll = () => {
    const { uploads, layers, images } = ecr;
    const { objects, earlier } = staging;
    const restores = [
      keep(uploads),
      keep(layers),
      keep(images),
      keep(objects),
      keep(earlier),
      keep(table.items),
    ];
    return () => {
      for (const restore of restores) {
        restore();
      }
    };
  };

  function askEcr(operation: string, body: string): Answer {
    if (!isOperationName(operation)) {
      throw new Error(`ECR is asked what it does not have: ${operation}`);
    }
    try {
      return jsonAnswer(ecr.operations[operation](JSON.parse(body)));
    } catch (error) {
      if (!(error instanceof ECRServiceException)) {
        throw error;
      }
      const isOfPart = error instanceof InvalidLayerPartException;
      const members = isOfPart ? { lastValidByteReceived: error.lastValidByteReceived } : {};
      return errorAnswer('ecr', 400, error.name, members);
    }
  }

  function askTable(operation: string, body: string): Answer {
    const { status, body: answered } = table.execute(`DynamoDB_20120810.${operation}`, JSON.parse(body));
    return jsonAnswer(answered, status);
  }

  const askIssuer = (operation: string, issuer: string): Answer =>
    jsonAnswer(operation === 'keys' ? { keys: [issuerKey.jwk] } : { issuer, jwks_uri: `${issuer}/keys` });

  const answers: Readonly<Record<Service, (operation: string, request: Asked, body: Buffer) => Answer>> = {
    ecr: (operation, _request, body) => askEcr(operation, body.toString()),
    s3: (operation, request, body) => staging.answer(operation, request, body),
    dynamodb: (operation, _request, body) => askTable(operation, body.toString()),
    secretsmanager: () => jsonAnswer({ SecretString: secret, VersionId: 'v'.repeat(32) }),
    issuer: (operation, { headers }) => askIssuer(operation, `http://${headers.host}`),
  };

  return {
    ecr,
    staging,
    table,
    answers,
    /** @returns what puts everything back as it is now */
    keep: keepAll,
    reset: keepAll(),
  };
}

export type AwsState = ReturnType<typeof awsState>;
