// Installs the Python tools of the deployment's tests, once for the workers that need them at the same time.

import { pythonTool } from './python.ts';

/** Vitest calls it before it starts the workers. */
export default function installPython(): void {
  pythonTool('moto_server');
}
