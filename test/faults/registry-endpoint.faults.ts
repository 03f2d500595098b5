// Every fault at every request of a container tool to the registry endpoint.

import { hostedFront } from './oci-fronts.ts';
import { faultSuite } from './suite.ts';

faultSuite(hostedFront);
