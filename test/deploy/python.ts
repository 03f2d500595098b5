// The Python tools that the templates are tried with: moto and cfn-lint.

import { join } from 'node:path';
import { pythonTools } from '../support/python-tool.ts';

export const pythonTool: (tool: 'cfn-lint' | 'moto_server') => string = pythonTools(
  'python',
  join(import.meta.dirname, 'requirements.txt'),
);
