// Every fault at every operation of the AWS API.

import { awsFront, publicAwsFront } from './function-fronts.ts';
import { faultSuite } from './suite.ts';

faultSuite(awsFront, publicAwsFront);
