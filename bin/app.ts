// The CDK app: reads the configuration and checks the policies once, then creates the stack.

import { App } from 'aws-cdk-lib';
import { loadPolicies } from '../lambda/policies.ts';
import { readQuotas } from '../lambda/quotas.ts';
import { contextKey, readConfiguration } from '../lib/configuration.ts';
import { policySource } from '../lib/policies.ts';
import { EcrUploadProxyStack } from '../lib/stack.ts';

const app = new App();
const configuration = readConfiguration(app.node.tryGetContext(contextKey));

// As the functions do when they start: what would fail there fails here, before anything is deployed.
loadPolicies(policySource);
const quotas = readQuotas(policySource);

new EcrUploadProxyStack(app, configuration.stackName, configuration, { hasQuotas: quotas.length > 0 });
