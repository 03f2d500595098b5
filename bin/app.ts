// The CDK app: reads the configuration once and creates the stack.

import { App } from 'aws-cdk-lib';
import { contextKey, readConfiguration } from '../lib/configuration.ts';
import { EcrUploadProxyStack } from '../lib/stack.ts';

const app = new App();
const configuration = readConfiguration(app.node.tryGetContext(contextKey));

new EcrUploadProxyStack(app, configuration.stackName, configuration);
