// The races of a blob's requests at the registry endpoint, to be explored.

import { blobRace } from './blob-race.ts';
import { blobScenarios } from './blob-scenarios.ts';
import { explorationOf } from './exploration.ts';

export const blobExploration = explorationOf('blob-', blobScenarios, blobRace);
