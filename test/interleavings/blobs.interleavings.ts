// Explores the races at the registry endpoint by hand, as uploads.interleavings.ts does those at the functions.

import '../support/no-pauses.ts';
import '../support/small-parts.ts';
import { blobExploration } from './blob-exploration.ts';
import { blobScenarios } from './blob-scenarios.ts';
import { exploreByHand } from './by-hand.ts';

exploreByHand('interleavings at the registry endpoint', blobScenarios, blobExploration);
