import { expect, test } from 'vitest';
import { inThread } from './in-thread.js';

test('a container that is a thread goes on: serverless-offline does not replace it', async () => {
  const answer = await inThread(`
    import { endContainer } from './end-container.js';
    endContainer();
    answer('went on');`);

  expect(answer).toBe('went on');
});
