// That a service of AWS's acts for a resource of this account, and of no other: the confused deputy.

import { type ArnComponents, Aws, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** @param source the resources that it may act for */
export const sourceConditions = (scope: IConstruct, source: ArnComponents) => ({
  StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
  ArnLike: { 'aws:SourceArn': Stack.of(scope).formatArn(source) },
});
