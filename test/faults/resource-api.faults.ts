// Every fault at every operation of the resource API.

import { publicResourceFront, resourceFront } from './function-fronts.ts';
import { faultSuite } from './suite.ts';

faultSuite(resourceFront, publicResourceFront);
