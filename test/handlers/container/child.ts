/**
 * A worker's container in a process of its own, settings in the environment: runs an invocation per message, and
 * answers with its summary and with what is alive before and after. With `stay` it does not end itself.
 */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { createWorkerHandler } from '../../../handlers/lambda.js';
import { fates } from './fates.js';
import type { Answer, Resources } from './worker-container.js';

const stays = process.argv.includes('stay');

// As Lambda's runtime does, which also tells its service.
process.on('unhandledRejection', (reason) => {
  console.error(reason);
  process.exit(128);
});

const handler = createWorkerHandler({ jobs: fates, ...(stays && { exit: () => {} }) });
const requestSchema = z.object({ requestId: z.string(), remainingMs: z.number() });

process.on('message', async (message) => {
  const { requestId, remainingMs } = requestSchema.parse(message);
  const end = Date.now() + remainingMs;
  const before = resources();
  const summary = await handler(
    {},
    {
      awsRequestId: requestId,
      functionName: 'the-worker',
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => end - Date.now(),
    },
  );
  await setImmediate(); // The line of the log is written, whatever was to be closed is closed.
  const answer: Answer = { summary, before, after: resources() };
  process.send?.(answer);
});

/** What keeps Node busy, the sockets aside, and who listens to the process. */
function resources(): Resources {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number) => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  for (const name of process.getActiveResourcesInfo()) if (!/TCP|DNS|GetAddrInfo/.test(name)) add(name, 1);
  for (const name of process.eventNames()) add(`listeners of ${String(name)}`, process.listenerCount(name));
  return counts;
}
