// Every fault at every request of a container tool to the bridge, which asks the resource API.

import { bridgeFront, publicBridgeFront } from './oci-fronts.ts';
import { faultSuite } from './suite.ts';

faultSuite(bridgeFront, publicBridgeFront);
