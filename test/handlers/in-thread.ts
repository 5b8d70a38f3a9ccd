import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

/**
 * Runs a module's text in a thread, as serverless-offline runs handlers. The text may import from handlers/ and calls
 * `answer`. Returns its answer, or how the thread ended without one.
 */
export async function inThread(text: string): Promise<unknown> {
  const contents = `
    import { parentPort } from 'node:worker_threads';
    const answer = (value) => parentPort.postMessage(value);
    ${text}`;
  const resolveDir = fileURLToPath(new URL('../../handlers', import.meta.url));
  const stdin = { contents, resolveDir };
  const { outputFiles } = await build({ stdin, bundle: true, platform: 'node', write: false });
  const thread = new Worker(outputFiles[0]?.text ?? '', { eval: true });
  const ended = once(thread, 'exit').then(([code]) => [`ended with ${code}`]);
  const [answer] = await Promise.race([once(thread, 'message'), ended]);
  return answer;
}
