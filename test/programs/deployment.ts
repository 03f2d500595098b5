// The functions and the registry endpoint as deployed, as many instances as one likes, over services in memory.

import { type OperationName, operationNames } from '../../api/operations.ts';
import { parseQuotas } from '../../api/quotas.ts';
import type { FunctionServices } from '../../lambda/function-services.ts';
import { awsHandler, type Handler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { CodeTracer } from '../../lambda/telemetry/traces.ts';
import { unrecorded } from '../../registry/hosted/request-record.ts';
import { type Endpoint, openEndpoint } from '../interleavings/endpoint.ts';
import { openAws, openServices } from '../interleavings/reach.ts';
import { openRights } from './rights.ts';

/** Of client a, and few enough that programs use them up; the others have no quota. */
export const bytesPerDay = 30;
export const counted = 'a';
const quotas = parseQuotas(`[{ name: each, client: ${counted}, bytesPerDay: ${bytesPerDay} }]`);

export type Front = 'resource' | 'aws';

/** One function instance, or one process of the registry endpoint: all it keeps between requests is the secret. */
export type Instance = {
  readonly handlers: ReadonlyMap<OperationName, Readonly<Record<Front, Handler>>>;
  /** The registry endpoint of this process. */
  readonly endpoint: () => Endpoint;
  /** It starts again, and has read nothing yet. */
  readonly restart: () => void;
};

const tracer = new CodeTracer();

function openInstance(aws: ReturnType<typeof openAws>, policies: ReturnType<typeof openRights>): Instance {
  const { services: served, restart: forget } = openServices(aws, policies);
  const services: FunctionServices = {
    ...served,
    tracer,
    beginRecord: () => unrecorded,
    registries: ['ecr'],
  };
  let endpoint = openEndpoint(served);
  const handlerOfAws = awsHandler(services);
  return {
    handlers: new Map(
      operationNames.map((name) => [name, { resource: resourceHandler(name, services), aws: handlerOfAws }]),
    ),
    endpoint: () => endpoint,
    restart: () => {
      forget();
      endpoint.cut();
      endpoint = openEndpoint(served);
    },
  };
}

/** @returns instances by number, each made when it is first asked for */
export function openDeployment() {
  const aws = openAws(quotas);
  const policies = openRights();
  const instances = new Map<number, Instance>();
  return {
    instance: (number: number): Instance => {
      const found = instances.get(number) ?? openInstance(aws, policies);
      instances.set(number, found);
      return found;
    },
  };
}
