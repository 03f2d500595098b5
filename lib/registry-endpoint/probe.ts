// Asks a new revision for its health before clients are sent to it: Lambda takes one for active that does not start.

import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { InlineResource } from './inline-resource.ts';
import { healthPath } from './server-environment.ts';

/** A start takes up to 10 s, and a new endpoint's name some time until it is known. */
const patienceSeconds = 180;

export const probeWork = `
async function work({ Url }, remainingMs) {
  const until = Date.now() + remainingMs - 30000;
  for (;;) {
    const signal = AbortSignal.timeout(15000);
    const status = await fetch(Url, { signal }).then((response) => response.status, (error) => error.name);
    if (status === 200) return {};
    if (Date.now() > until) throw new Error('The new revision does not answer ' + Url + ': ' + status);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
`;

export type ProbeProps = {
  /** Of the endpoint that has all of the new revision. */
  domainName: string;
  /** A new value makes CloudFormation ask again. */
  revisionId: string;
  logGroup: LogGroup;
};

export class Probe extends InlineResource {
  constructor(scope: Construct, id: string, { domainName, revisionId, logGroup }: ProbeProps) {
    super(scope, id, {
      description: 'ecr-upload-proxy: asks a new revision of the registry endpoint for its health.',
      work: probeWork,
      properties: { Url: `https://${domainName}${healthPath}`, RevisionId: revisionId },
      timeoutSeconds: patienceSeconds,
      statements: [],
      logGroup,
    });
  }
}
