// The CDK app: reads the configuration once, then creates the stack.

import { App } from 'aws-cdk-lib';
import { ConfigurationError, contextKey } from '../lib/configuration/configuration.ts';
import { loadConfiguration } from '../lib/configuration/configuration-file.ts';
import { EcrUploadProxyStack } from '../lib/stack.ts';

const app = new App();
try {
  const configuration = await loadConfiguration(app.node.tryGetContext(contextKey));
  new EcrUploadProxyStack(app, configuration.stackName, configuration);
} catch (error) {
  if (!(error instanceof ConfigurationError)) {
    throw error;
  }
  console.error(error.message);
  process.exit(1);
}
