import { startLocalStack } from '../support/local-stack.ts';
import { describeDoor1 } from './resource-api-suite.ts';

describeDoor1('through the local gateway and the bundles', 'ecr', startLocalStack);
