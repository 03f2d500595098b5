// The times of the load balancer, the server and the service, each in relation to the others.

/** What the operator decides, in seconds. */
export type ConfiguredTimes = { idleTimeoutSeconds: number; deregistrationDelaySeconds: number };

/** The server's settings, in seconds. */
export type ServerTimes = {
  /** How long it keeps a connection on which nothing is asked. */
  keepAliveSeconds: number;
  /** How long it waits for a body that has stopped coming. */
  stallSeconds: number;
  /** How long uploads may take to end after SIGTERM. */
  serverStopSeconds: number;
};

/** In seconds. */
export type Times = ConfiguredTimes &
  ServerTimes & {
    /** From SIGTERM to SIGKILL. */
    stopSeconds: number;
    /** How long the answer to the end of an upload takes at most: the last part, and its completion. */
    lastAnswerSeconds: number;
  };

/** The most that Fargate allows. Source: the Amazon ECS API reference, ContainerDefinition, stopTimeout. */
const maxStopSeconds = 120;

/** containerd gives up after 30 s, Jib after 20. */
const lastAnswerSeconds = 20;

/** Who closes a connection that idles must be the load balancer: a request may be on its way to who closes first. */
const keepAliveMargin = 15;

/** The server's own refusal, in OCI's form, comes before the load balancer's, which is HTML. */
const stallMargin = 10;

/** What is left for the server's own end before it is ended. */
const stopMargin = 10;

export const timesOf = ({ idleTimeoutSeconds, deregistrationDelaySeconds }: ConfiguredTimes): Times => ({
  idleTimeoutSeconds,
  deregistrationDelaySeconds,
  keepAliveSeconds: idleTimeoutSeconds + keepAliveMargin,
  stallSeconds: idleTimeoutSeconds - stallMargin,
  serverStopSeconds: maxStopSeconds - stopMargin,
  stopSeconds: maxStopSeconds,
  lastAnswerSeconds,
});

type Rule = { member: keyof ConfiguredTimes; holds: (times: Times) => boolean; expected: string };

/** What has to hold among them, with the member of the configuration that breaks it. */
const rules: readonly Rule[] = [
  {
    member: 'idleTimeoutSeconds',
    holds: (times) => times.stallSeconds >= times.lastAnswerSeconds * 2,
    expected: `a number of seconds from ${lastAnswerSeconds * 2 + stallMargin} on, for the end of an upload takes up to ${lastAnswerSeconds} s, in which nothing is sent`,
  },
  {
    member: 'deregistrationDelaySeconds',
    holds: (times) => times.deregistrationDelaySeconds >= times.idleTimeoutSeconds,
    expected: 'at least idleTimeoutSeconds, or a request that only waits is cut when its task is replaced',
  },
  {
    member: 'deregistrationDelaySeconds',
    holds: (times) => times.deregistrationDelaySeconds >= times.stopSeconds,
    expected: `at least ${maxStopSeconds}, for so long a task that is stopped may still answer`,
  },
];

/** What is wrong, as the configuration says it. */
export const timeConflicts = (configured: ConfiguredTimes): Omit<Rule, 'holds'>[] =>
  rules.filter(({ holds }) => !holds(timesOf(configured)));
