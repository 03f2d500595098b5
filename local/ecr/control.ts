// The control path of tests: arm faults at /_faults, read counts at /_requests.

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Faults } from './faults.ts';
import type { RequestCounts } from './request-counts.ts';

export function serveControl(app: FastifyInstance, faults: Faults, counts: RequestCounts): void {
  app.get('/_faults', async () => faults.armed);
  app.post('/_faults', async (request, reply) => {
    try {
      faults.arm(JSON.parse(String(request.body)));
      return reply.code(201).send(faults.armed);
    } catch (error) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : 'the body is not JSON';
      return reply.code(400).send({ message });
    }
  });
  app.delete('/_faults', async () => {
    faults.clear();
    return faults.armed;
  });
  app.get('/_requests', async () => counts.all);
  app.delete('/_requests', async () => {
    counts.reset();
    return counts.all;
  });
}
