import { pathToFileURL } from 'node:url';
import { runInSubprocess } from '../../../src/subprocess/run-in-subprocess.js';

/**
 * A process with a job that returned and a job that was killed, and no clean-up afterwards. Its argument is the module
 * of both jobs.
 */
const behaviour = pathToFileURL(process.argv[2] ?? '');
const never = new AbortController().signal;
const idle = async () => {};

const returned = await runInSubprocess(behaviour, {
  input: { do: 'return', value: 42 },
  signal: never,
  progress: idle,
  log: () => {},
});
const killed = await runLoop();
console.log(JSON.stringify({ returned, killed }));

async function runLoop(): Promise<unknown> {
  const controller = new AbortController();
  const progress = async () => controller.abort(new Error('enough'));
  const input = { do: 'loop' };
  return runInSubprocess(behaviour, { input, signal: controller.signal, progress, log: () => {} }).catch(
    ({ message }) => message,
  );
}
