// Every fault at every operation of the AWS API.

import { awsFront } from './function-fronts.ts';
import { faultSuite } from './suite.ts';

faultSuite(awsFront);
