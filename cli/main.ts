#!/usr/bin/env node
// Runs the command line, and ends with its exit status.

import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2));
