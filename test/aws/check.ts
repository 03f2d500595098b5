// A check of docs/aws-assumptions.md: what it needs, what it does, and what was seen.

import type { ECR } from '@aws-sdk/client-ecr';
import type { ResourceApi, Send } from '../support/resource-api.ts';

/** `undefined`: neither, or it could not be told; `saw` says what came instead. */
export type Finding = { holds: boolean | undefined; saw: string };

/** A deployed registry endpoint. */
export type RegistryEndpoint = {
  /** `https://push.example.com` */
  url: string;
  token: string;
  repositoryName: string;
  /** Of the layers that are pushed, some of which have many GB. */
  maxLayerBytes: number;
};

/** A deployed proxy, and ECR behind it as its operator reaches it. */
export type Deployment = {
  send: Send;
  client: ResourceApi;
  token: string;
  repositoryName: string;
  ecr: ECR;
};

type Run<On> = (deployment: On) => Promise<Finding>;

export type Check = {
  /** The row of docs/aws-assumptions.md. */
  row: number;
} & (
  | {
      /** `ecr`: AWS credentials that may push to the repository. */
      needs: 'proxy' | 'ecr';
      run: Run<Deployment>;
    }
  | { needs: 'registry'; run: Run<Deployment & { registry: RegistryEndpoint }> }
);
