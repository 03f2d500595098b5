// Where the package is on disk: what it ships besides its code is below.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The same from lib/, where the project runs, and from dist/, where other CDK apps have it. */
export const projectRoot = dirname(createRequire(import.meta.url).resolve('ecr-upload-proxy/package.json'));
