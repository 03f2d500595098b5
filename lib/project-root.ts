// Where the project lies on disk.

import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '..');
