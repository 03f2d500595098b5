// All cells of a front: which calls a good request makes, and what came of it with each fault that these can meet.

import type { Registry } from '../../api/registries.ts';
import type { Call, Service } from './answers.ts';
import { type Fault, faults } from './faults.ts';
import type { Situation } from './front.ts';
import type { Mode, Outcome, Trials, Usual, WrongTime } from './trial.ts';

/** Whose faults, and what the instance knows when they come. */
export type Block = {
  readonly title: string;
  readonly mode: Mode;
  readonly services: readonly Service[];
  /** This fault alone, as a sample. */
  readonly sample?: string;
};

const warm = { instance: 'warm', token: 'client' } as const;
const everyService = ['ecr', 's3', 'dynamodb', 'secretsmanager', 'issuer'] as const;
const instances = ['cold', 'warm'] as const;

/** At every moment of a push. */
export const serviceBlocks: readonly Block[] = [
  { title: 'ECR', mode: warm, services: ['ecr'] },
  { title: 'S3', mode: warm, services: ['s3'] },
  { title: 'DynamoDB', mode: warm, services: ['dynamodb'] },
  { title: 'the instance', mode: { instance: 'cold', token: 'client' }, services: everyService },
];

/**
 * At ECR Public the client of ECR is another, and all that it throws. The other services are asked by the very calls that
 * private ECR's requests make of them, which the suite compares: of these one fault each.
 */
export const publicBlocks: readonly Block[] = [
  { title: 'ECR Public', mode: warm, services: ['ecr'] },
  { title: 'S3 of ECR Public', mode: warm, services: ['s3'], sample: 'throttles' },
  { title: 'DynamoDB of ECR Public', mode: warm, services: ['dynamodb'], sample: 'throttles' },
  {
    title: 'the instance of ECR Public',
    mode: { instance: 'cold', token: 'client' },
    services: everyService,
    sample: 'dies after the work',
  },
];

/** Of every operation: a token is checked before anything else is looked at. */
export const tokenBlocks: readonly Block[] = [
  ...instances.map(
    (instance): Block => ({
      title: `Secrets Manager (${instance})`,
      mode: { instance, token: 'client' },
      services: ['secretsmanager'],
    }),
  ),
  ...instances.map(
    (instance): Block => ({
      title: `the issuer (${instance})`,
      mode: { instance, token: 'oidc' },
      services: ['issuer'],
    }),
  ),
];

const minuteMs = 60_000;

export const wrongTimes: readonly WrongTime[] = (['client', 'oidc', 'session'] as const).flatMap((token) =>
  [-10 * minuteMs, -minuteMs / 2, minuteMs / 2, 10 * minuteMs].map((byMs) => ({ byMs, token })),
);

/** A death is a fault of the instance, whichever service it waits for. */
const isOfBlock = ({ services }: Block, { isDeath }: Fault): boolean =>
  isDeath ? services.length > 1 : services.length === 1;

/** The faults that have rows in a block. */
export const faultsOf = (block: Block, registry: Registry = 'ecr'): readonly Fault[] =>
  faults.filter(
    (fault) =>
      isOfBlock(block, fault) &&
      block.services.some((service) => fault.codes[service] !== undefined) &&
      (fault.registry ?? registry) === registry &&
      (block.sample ?? fault.name) === fault.name,
  );

const canStrike = ({ codes, strikes = () => true }: Fault, call: Call): boolean =>
  codes[call.service] !== undefined && strikes(call);

export type Cell = { readonly text: string; readonly failures: readonly string[]; readonly trials: number };

/** The cell of what is not called, or not asked. */
const nothing = '–';
export const notAsked: Cell = { text: nothing, failures: [], trials: 0 };
/** The cell of what is tried elsewhere. */
export const triedElsewhere: Cell = { ...notAsked, text: '·' };

const textOf = ({ status, next }: Outcome): string =>
  status === undefined ? 'ok' : `${status === 0 ? 'cut' : status}${next && ` ${next}`}`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A fault that lasts as long as the request; and, where that is more than one call, one that passes. */
async function outcomeOf(run: (isOnce: boolean) => Promise<Outcome>, { passes }: Fault): Promise<string> {
  const lasting = await run(false);
  if (!passes || lasting.struck === 1) {
    return textOf(lasting);
  }
  const texts = [textOf(lasting), textOf(await run(true))];
  return texts[0] === texts[1] ? textOf(lasting) : texts.join(', once ');
}

export async function cellOf<Request>(
  trials: Trials<Request>,
  situation: Situation<Request>,
  block: Block,
  fault: Fault,
  usual: Usual,
): Promise<Cell> {
  const calls = usual.calls.filter((call) => block.services.includes(call.service) && canStrike(fault, call));
  const texts: string[] = [];
  const failures: string[] = [];
  let count = 0;
  for (const call of calls) {
    const run = (isOnce: boolean) => {
      count += 1;
      return trials.run(situation, block.mode, usual, { fault, call, isOnce });
    };
    try {
      texts.push(await outcomeOf(run, fault));
    } catch (error) {
      const { service, operation, nth } = call;
      failures.push(
        `${situation.name}: ${fault.name}, at ${service} ${operation} ${nth} (${block.title}): ${messageOf(error)}`,
      );
    }
  }
  return { text: [...new Set(texts)].join(' / ') || nothing, failures, trials: count };
}

export async function cellAtWrongTime<Request>(
  trials: Trials<Request>,
  situation: Situation<Request>,
  wrongTime: WrongTime,
  usual: Usual,
): Promise<Cell> {
  try {
    return { text: await trials.runAtWrongTime(situation, wrongTime, usual), failures: [], trials: 1 };
  } catch (error) {
    const { byMs, token } = wrongTime;
    const failure = `${situation.name}: the clock off by ${byMs} ms, ${token} token: ${messageOf(error)}`;
    return { text: '', failures: [failure], trials: 1 };
  }
}
