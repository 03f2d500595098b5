// X-Ray's segments: each call to AWS, how it and the request ended, and nothing of what a client sent or received.

import { Tracer } from '@aws-lambda-powertools/tracer';
import { z } from 'zod';
import { errors } from '../../api/errors.ts';
import { proxyErrorOf } from '../proxy-error.ts';
import { outcomeOf, type UpstreamOutcome } from './outcomes.ts';

type Segment = NonNullable<ReturnType<Tracer['getSegment']>>;
type Subsegment = ReturnType<Segment['addNewSubsegment']>;

/** In X-Ray an error is the caller's doing, and a fault is the service's. */
function addFlags(segment: Segment, outcome: UpstreamOutcome): void {
  if (outcome === 'failed') {
    segment.addFaultFlag();
  } else if (outcome !== 'expected') {
    segment.addErrorFlag();
  }
  if (outcome === 'throttled') {
    segment.addThrottleFlag();
  }
}

function outcomeOfStatus(status: number): UpstreamOutcome {
  if (status === 429) {
    return 'throttled';
  }
  return status >= 500 ? 'failed' : 'refused';
}

/**
 * Powertools' own records everything thrown as a fault, with its message, which can contain the claims of a token. This
 * one records the code of the error table. Nor does it trace HTTP requests of libraries: those for an issuer's keys
 * would contain the issuer's name.
 */
export class CodeTracer extends Tracer {
  constructor() {
    super({ captureHTTPsRequests: false });
  }

  override addErrorAsMetadata(error: Error): void {
    const segment = this.isTracingEnabled() ? this.getSegment() : undefined;
    if (segment) {
      const { code } = proxyErrorOf(error);
      segment.addAnnotation('code', code);
      addFlags(segment, outcomeOfStatus(errors[code].status));
    }
  }
}

/** What the SDK knows of a call, in its output or its exception. */
const note = z.object({
  $metadata: z.object({
    httpStatusCode: z.number().optional(),
    requestId: z.string().optional(),
    attempts: z.number().optional(),
  }),
});

/** The part of the SDK's types that is needed here; every client has it. */
type Middleware = <Args, Result extends { output: object }>(
  next: (args: Args) => Promise<Result>,
  context: { clientName?: string; commandName?: string },
) => (args: Args) => Promise<Result>;

/** Every client of the SDK. */
export type SdkClient = {
  readonly middlewareStack: {
    add(middleware: Middleware, options: { step: 'initialize'; name: string }): void;
  };
};

function addNote(segment: Subsegment, operation: string, answer: unknown): void {
  const { httpStatusCode, requestId, attempts = 1 } = note.safeParse(answer).data?.$metadata ?? {};
  segment.addAttribute('aws', { operation, request_id: requestId, retries: attempts - 1 });
  if (httpStatusCode !== undefined) {
    segment.addAttribute('http', { response: { status: httpStatusCode } });
  }
}

/**
 * Adds a segment to each call of a client of the SDK. The X-Ray SDK's own would hold the message of what AWS refuses, and
 * counts S3's expected 404 among the faults.
 */
export function traced<Traced extends SdkClient>(client: Traced, tracer: Tracer): Traced {
  const middleware: Middleware =
    (next, { clientName = '', commandName = '' }) =>
    async (args) => {
      const segment = tracer.getSegment()?.addNewSubsegment(clientName.replace(/Client$/, ''));
      if (!segment) {
        return next(args);
      }
      const operation = commandName.replace(/Command$/, '');
      segment.addAttribute('namespace', 'aws');
      try {
        const result = await next(args);
        addNote(segment, operation, result.output);
        return result;
      } catch (error) {
        addNote(segment, operation, error);
        addFlags(segment, outcomeOf(error));
        throw error;
      } finally {
        segment.close();
      }
    };
  if (tracer.isTracingEnabled()) {
    client.middlewareStack.add(middleware, { step: 'initialize', name: 'trace' });
  }
  return client;
}
