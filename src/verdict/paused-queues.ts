import { claimableByQueue } from '../job/indexes.js';
import { anyPriority, isClaimable } from '../job/queued-jobs.js';
import { orIndexMissing } from '../mongo/index-missing.js';
import type { QueueDocument } from '../queue/queue-document.js';
import { jobsThat, type VerdictFinding } from './finding.js';
import type { Situation } from './situation.js';

/** Maximum number of paused queues whose jobs are counted. Each costs a command. */
const MAX_LOOKED_AT = 10;

const MAX_COUNTED = 100;

/** Finds paused queues with due jobs. Looks at the 10 that have been paused longest. */
export async function findPausedQueuesWithJobs(situation: Situation): Promise<VerdictFinding[]> {
  const oldest = situation.pausedQueues
    .toSorted((one, other) => one.paused.getTime() - other.paused.getTime())
    .slice(0, MAX_LOOKED_AT);
  return (await Promise.all(oldest.map((queue) => findPaused(queue, situation)))).flat();
}

async function findPaused(
  { _id: name, paused: since }: QueueDocument,
  { collections: { jobs }, now }: Situation,
): Promise<VerdictFinding[]> {
  const due = { ...isClaimable, queue: name, priority: anyPriority, runAt: { $lte: now } };
  const options = { limit: MAX_COUNTED, hint: claimableByQueue.key };
  const count = await orIndexMissing(jobs.countDocuments(due, options));
  if (count === 0) return [];
  return [
    {
      code: 'paused_queue',
      severity: 'warning',
      about: { type: 'queue', name },
      text: `queue '${name}' is paused, and ${jobsThat(['waits', 'wait'], count, MAX_COUNTED)} in it`,
      advice: `If this is not intended: remote-processor queues resume ${name}`,
      since,
      actions: ['see', 'resume'],
      queue: name,
    },
  ];
}
