import { startLocalStack } from '../support/local-stack.ts';
import { describeDoor1 } from './door-1-suite.ts';

describeDoor1('through the local gateway and the bundles', 'ecr', startLocalStack);
