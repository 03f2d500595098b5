// The races of an upload's requests at the functions, to be explored.

import { explorationOf } from './exploration.ts';
import { scenarios } from './scenarios.ts';
import { race } from './upload-race.ts';

export const uploadExploration = explorationOf('', scenarios, race);
