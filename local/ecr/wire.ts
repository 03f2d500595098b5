// ECR's own wire: `POST /`, AWS JSON 1.1, the operation in `X-Amz-Target`.

import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { canAnswer, EcrError, errorTable } from './errors.ts';
import { dropped, type Faults } from './faults.ts';
import { readMembers } from './inputs.ts';
import { operations } from './operations.ts';
import { type Call, calls, registries, registryNames } from './registries.ts';
import type { RequestCounts } from './request-counts.ts';
import { checkSignature } from './signature.ts';
import type { Store } from './store.ts';

const mediaType = 'application/x-amz-json-1.1';

export function serveWire(app: FastifyInstance, store: Store, faults: Faults, counts: RequestCounts): void {
  app.post('/', async (request, reply) => {
    const call = findCall(header(request, 'x-amz-target'));
    counts.add(call);
    try {
      const outcome = await answer(request, call, store, faults);
      if (outcome === dropped) {
        return drop(request, reply);
      }
      return send(reply, 200, outcome);
    } catch (error) {
      return refuse(reply, error, call);
    }
  });
}

/** Writes an error as ECR does. What is no answer of ECR's becomes a ServerException, and is shown on stderr. */
export function refuse(reply: FastifyReply, error: unknown, call?: Call): FastifyReply {
  if (error instanceof EcrError && (!call || canAnswer(call, error.name))) {
    const { name, message, members } = error;
    return send(reply, errorTable[name].status, { __type: name, message, ...members });
  }
  console.error('the ECR stand-in failed', error);
  return send(reply, 500, {
    __type: 'ServerException',
    message: 'The stand-in itself failed: see its stderr',
  });
}

async function answer(
  request: FastifyRequest,
  call: Call | undefined,
  store: Store,
  faults: Faults,
): Promise<object | typeof dropped> {
  if (!call || header(request, 'content-type')?.split(';')[0] !== mediaType) {
    throw unknownOperation();
  }
  checkSignature(call.registry, header(request, 'authorization'));
  return faults.strike(call, async () => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    return operations[call.operation](store, call.registry, readMembers(body));
  });
}

const targetOf = ({ registry, operation }: Call) => `${registries[registry].targetPrefix}.${operation}`;

const findCall = (target: string | undefined): Call | undefined =>
  calls.find((call) => target === targetOf(call));

function unknownOperation(): EcrError {
  const modelled = registryNames.map((name) => {
    const operations = calls.filter(({ registry }) => registry === name).map(({ operation }) => operation);
    return `${operations.join(', ')} of ${registries[name].targetPrefix}`;
  });
  return new EcrError(
    'UnknownOperationException',
    `This stand-in models ${modelled.join(', and ')}, sent as ${mediaType}`,
  );
}

const send = (reply: FastifyReply, status: number, body: object): FastifyReply =>
  reply
    .code(status)
    .headers({ 'content-type': mediaType, 'x-amzn-requestid': randomUUID() })
    .send(Buffer.from(JSON.stringify(body)));

function drop(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
