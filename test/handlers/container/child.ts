/**
 * A worker's container in its own process, with settings in the environment. Runs an invocation per message, and
 * answers with the summary and the resources in use before and after. With `stay` it does not end itself.
 */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { createWorkerHandler } from '../../../handlers/lambda.js';
import { fates } from './fates.js';
import type { Answer, Resources } from './worker-container.js';

const stays = process.argv.includes('stay');

// Lambda's runtime does the same, and also reports to its service.
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
  await setImmediate(); // By now the log line is written and everything is closed.
  const answer: Answer = { summary, before, after: resources() };
  process.send?.(answer);
});

/** Returns what keeps Node busy, except sockets, and the listeners of the process. */
function resources(): Resources {
  const counts: Record<string, number> = {};
  const add = (name: string, count: number) => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  for (const name of process.getActiveResourcesInfo()) if (!/TCP|DNS|GetAddrInfo/.test(name)) add(name, 1);
  for (const name of process.eventNames()) add(`listeners of ${String(name)}`, process.listenerCount(name));
  return counts;
}
