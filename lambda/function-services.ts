// The services of a Lambda function: those of every process, with each call to AWS traced by X-Ray.

import type { Tracer } from '@aws-lambda-powertools/tracer';
import { type Environment, readEnvironment } from './environment.ts';
import { openServices, type Services } from './services.ts';
import { CodeTracer, traced } from './telemetry/traces.ts';

export type FunctionServices = Services & { tracer: Tracer };

/**
 * In a file of its own: X-Ray's SDK hooks into every promise of a process that loads it, which costs a streaming
 * process a third of its time.
 */
export function openFunctionServices(
  environment: Environment = readEnvironment(process.env),
): FunctionServices {
  const tracer = new CodeTracer();
  return { ...openServices(environment, { prepare: (client) => traced(client, tracer) }), tracer };
}
