/** The program of `npm start`, which runs `remote-processor start`. */
import { runAsProcess } from './cli/run-as-process.js';

await runAsProcess(['start', ...process.argv.slice(2)]);
