import ms from 'ms';
import type { Api } from '../api/api.js';
import { type ShownWorker, workersShape } from '../commands/workers.js';
import { read } from '../output/output.js';
import { pagesOf } from '../pages.js';
import { queuesShape, type ShownQueue } from '../state/counts.js';
import { examine, type Finding, failure, ok, warning } from './finding.js';

const PAGE_SIZE = 1000;

/** The same threshold as in the alarm of a deployment. */
const UNCLAIMED_MS = 5 * 60_000;

/**
 * Checks that due jobs are claimed, and says which queues are paused.
 *
 * @param now by the clock of the database
 */
export async function checkQueues(api: Api, now: number): Promise<readonly Finding[]> {
  return examine('queues', 'Read the log of the http function', async () => {
    const queues: ShownQueue[] = [];
    for await (const { page } of pagesOf(
      api,
      { path: '/v1/queues', shape: queuesShape },
      { limit: PAGE_SIZE },
    ))
      queues.push(...page.queues.filter((queue) => queue.paused !== null || isLate(queue, now)));
    const { workers } = read(await api.get('/v1/workers', { limit: PAGE_SIZE }), workersShape);
    const paused = queues.filter((queue) => queue.paused !== null);
    const late = queues.filter((queue) => queue.paused === null);
    return [
      ...(late.length === 0 ? [ok('waiting jobs', 'no due job has been waiting for 5 minutes')] : []),
      ...told(late, (queue) => unclaimed(queue, workers, now)),
      ...(paused.length === 0 ? [ok('paused queues', 'none')] : told(paused, pausedFinding)),
    ];
  });
}

/** Whether a due job of a queue has waited for longer than workers need. */
export function isLate(queue: ShownQueue, now: number): boolean {
  return waitOf(queue, now) >= UNCLAIMED_MS;
}

/** The most queues that get a finding of their own. */
const MAX_TOLD = 20;

/** Returns a finding for each of the first queues. The last finding says how many more there are. */
function told(queues: readonly ShownQueue[], finding: (queue: ShownQueue) => Finding): Finding[] {
  const more = queues.length - MAX_TOLD;
  return queues.slice(0, MAX_TOLD).map((queue, index) => {
    const { detail, ...rest } = finding(queue);
    const isLast = index === MAX_TOLD - 1 && more > 0;
    return { ...rest, detail: isLast ? `${detail}; the same holds for ${more} more queues` : detail };
  });
}

function waitOf({ oldest }: ShownQueue, now: number): number {
  return oldest === null ? 0 : now - Date.parse(oldest);
}

function unclaimed(queue: ShownQueue, workers: readonly ShownWorker[], now: number): Finding {
  const { name } = queue;
  const detail = `queue '${name}': a job has been due for ${ms(waitOf(queue, now))}, and nobody claims it`;
  return failure('waiting jobs', detail, adviceFor(name, workers));
}

function adviceFor(queue: string, workers: readonly ShownWorker[]): string {
  if (workers.length === 0)
    return 'No worker runs: check that the worker function is invoked every minute, or start remote-processor work';
  if (!workers.some(({ queues }) => queues === null || queues.includes(queue)))
    return 'No running worker takes this queue: see QUEUES';
  return `The workers lack the code of the job, or are too few: remote-processor list --status queued --queue ${queue}`;
}

function pausedFinding({ name, paused }: ShownQueue): Finding {
  const detail = `queue '${name}' is paused since ${paused}`;
  return warning('paused queues', detail, `If this is not intended: remote-processor queues resume ${name}`);
}
