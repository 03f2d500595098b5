// Every fault at every request of a container tool to the registry endpoint.

import { hostedFront, publicHostedFront } from './oci-fronts.ts';
import { faultSuite } from './suite.ts';

faultSuite(hostedFront, publicHostedFront);
