// The registry endpoint and the bridge: container tools push through both by the same requests.

import { errors } from '../../api/errors.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { ociErrorOf } from '../../registry/front/oci-errors.ts';
import type { Front } from './front.ts';
import { deathCode } from './function-death.ts';
import {
  bridgeSituations,
  hostedSituations,
  publicBridgeSituations,
  publicHostedSituations,
} from './oci-pushes.ts';
import type { OciRequest } from './oci-requests.ts';
import { serveHosted, serveThroughBridge } from './oci-serving.ts';

const formOf: Front<OciRequest>['formOf'] = (code, { subject }) =>
  subject === 'problem' ? { status: errors[code].status, code } : ociErrorOf(new ProxyError(code), subject);

const shared = { warmUp: { method: 'GET', path: '/v2/' }, formOf, tellsWhen: true } as const;

export const hostedFront: Front<OciRequest> = {
  ...shared,
  name: 'registry endpoint',
  registry: 'ecr',
  situations: hostedSituations,
  serve: (open) => serveHosted('ecr', open),
  death: 'cut',
};

export const bridgeFront: Front<OciRequest> = {
  ...shared,
  name: 'bridge',
  registry: 'ecr',
  situations: bridgeSituations,
  serve: (open, passTime) => serveThroughBridge('ecr', open, passTime),
  isStateful: true,
  isOverAnother: true,
  death: deathCode,
};

export const publicHostedFront: Front<OciRequest> = {
  ...hostedFront,
  registry: 'ecr-public',
  situations: publicHostedSituations,
  serve: (open) => serveHosted('ecr-public', open),
};

export const publicBridgeFront: Front<OciRequest> = {
  ...bridgeFront,
  registry: 'ecr-public',
  situations: publicBridgeSituations,
  serve: (open, passTime) => serveThroughBridge('ecr-public', open, passTime),
};
