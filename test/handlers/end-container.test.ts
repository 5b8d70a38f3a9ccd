import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('a container that is a thread goes on: serverless-offline does not replace it', async () => {
  const contents = `
    import { parentPort } from 'node:worker_threads';
    import { endContainer } from './end-container.js';
    endContainer();
    parentPort.postMessage('went on');`;
  const resolveDir = fileURLToPath(new URL('../../handlers', import.meta.url));
  const stdin = { contents, resolveDir };
  const { outputFiles } = await build({ stdin, bundle: true, platform: 'node', write: false });
  const thread = new Worker(outputFiles[0]?.text ?? '', { eval: true });
  const ended = once(thread, 'exit').then(([code]) => [`ended with ${code}`]);

  expect(await Promise.race([once(thread, 'message'), ended])).toEqual(['went on']);
});
