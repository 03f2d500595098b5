import { startLocalStack } from '../support/local-stack.ts';
import { describeResourceApi } from './resource-api-suite.ts';

describeResourceApi('through the local gateway and the bundles', 'ecr', startLocalStack);
