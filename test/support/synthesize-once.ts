// Before all tests: the cloud assembly, so that no two test files synthesize it at the same time.

import { synthesize } from '../../local/synthesize.ts';

export const setup = async (): Promise<void> => {
  await synthesize();
};
