// The policy schema that comes with this program, whether it runs from its sources or from its bundle.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const candidates = ['..', '../..'].map((up) => join(import.meta.dirname, up, 'policies/schema.cedarschema'));

export const ownSchema: string = candidates.find((file) => existsSync(file)) ?? String(candidates[0]);
