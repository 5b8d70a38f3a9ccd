#!/usr/bin/env node
/** The command `remote-processor`. */
import '../../src/require-zod.js';
import { runAsProcess } from './run-as-process.js';

await runAsProcess(process.argv.slice(2));
