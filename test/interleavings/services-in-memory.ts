// ECR, S3 and DynamoDB in memory behind a scheduler, and all of their state in one text.

import { dynamoDbInMemory } from './dynamodb-in-memory.ts';
import { ecrInMemory } from './ecr-in-memory.ts';
import { s3InMemory } from './s3-in-memory.ts';
import { type Budget, type Effect, openScheduler } from './scheduler.ts';
import { stateText } from './state-text.ts';

export type Service = 'ecr' | 's3' | 'dynamodb';

/** Bugs of a service that are planted to see them found. */
export type PlantedInServices = {
  /** Whatever is written to S3, is. */
  readonly withoutConditions?: boolean;
  /** A transaction's mark is written before its count. */
  readonly markBeforeCount?: boolean;
};

/** A version of a slot, which is no part of a digest. */
const versions = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g;

/**
 * Versions are made at random: what counts is which of them are the same. One that S3 does not have any more it never
 * has again, and whatever is conditional on it fails.
 */
function namerOf(present: string): (text: string) => string {
  const names = new Map([...new Set(present.match(versions))].map((version, n) => [version, `v${n}`]));
  return (text) => text.replaceAll(versions, (version) => names.get(version) ?? 'past');
}

export function servicesInMemory(
  choose: Parameters<typeof openScheduler>[0],
  faults: Budget,
  { withoutConditions = false, markBeforeCount = false }: PlantedInServices,
) {
  const scheduler = openScheduler(choose, faults);
  const ecr = ecrInMemory();
  const s3 = s3InMemory({ obeysConditions: !withoutConditions });
  const dynamodb = dynamoDbInMemory({ writesMarkFirst: markBeforeCount });

  const read = (service: Service, command: object): readonly Effect[] =>
    service === 'dynamodb' ? dynamodb.read(command) : [{ ecr, s3 }[service].read(command)];

  return {
    scheduler,
    ecr,
    s3,
    dynamodb,

    /** A call of a function's, as its client of the SDK makes it. */
    send: async (actor: number, service: Service, command: object): Promise<unknown> => {
      let output: unknown;
      for (const effect of read(service, command)) {
        const name = `${service} ${command.constructor.name}`;
        output = await scheduler.call(actor, { name, ...effect });
      }
      return output;
    },

    /** Whatever decides what follows, but for what the caller knows besides. */
    state: (...more: readonly unknown[]): string => {
      const present = stateText([ecr.state(), s3.state(), [...dynamodb.items], more]);
      const named = namerOf(present);
      return [named(present), scheduler.state(named)].join('\n');
    },
  };
}

export type ServicesInMemory = ReturnType<typeof servicesInMemory>;
