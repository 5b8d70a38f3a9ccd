#!/usr/bin/env node
/** The command `remote-processor`. */
import { runAsProcess } from './run-as-process.js';

await runAsProcess(process.argv.slice(2));
