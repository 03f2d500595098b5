// `npm run openapi`: writes openapi.json anew.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openapiText } from '../api/openapi/document.ts';
import { projectRoot } from '../lib/project-root.ts';

writeFileSync(join(projectRoot, 'openapi.json'), openapiText);
