/** What `npm start` runs: `remote-processor start`. */
import { runAsProcess } from './cli/run-as-process.js';

await runAsProcess(['start', ...process.argv.slice(2)]);
