import { setTimeout as wait } from 'node:timers/promises';
import type * as z from 'zod';
import { type Api, path } from '../api/api.js';
import { type ShownWorker, workersShape } from '../commands/workers.js';
import { limitDetailsShape, limitsShape, placesOf, type ShownLimit } from '../limits/limit-table.js';
import { read } from '../output/output.js';
import { countText, queuesShape, type ShownQueue } from '../state/counts.js';
import { isLate } from './check-queues.js';
import { examine, type Finding, failure, ok, warning } from './finding.js';

const CHECK = 'limits';

const PAGE_SIZE = 1000;

/** The most limits that are looked at closely. */
const MAX_LOOKED_AT = 20;

/** How long a line may wait beside a free place. Whoever freed it may have crashed; another looks within two minutes. */
const STILL_MS = 2 * 60_000;

/** How long a place must stay free to count as free. Usually the next job has it within milliseconds. */
const LOOK_AGAIN_MS = 2_000;

type LimitDetails = z.output<typeof limitDetailsShape>;

/** What is known of workers and queues. */
interface Situation {
  readonly queues: readonly ShownQueue[];
  readonly workers: readonly ShownWorker[];
  /** By the clock of the database. */
  readonly now: number;
}

/**
 * Checks that no limit stands still while jobs wait for it, and says which are paused.
 *
 * @param now by the clock of the database
 */
export async function checkLimits(api: Api, now: number): Promise<readonly Finding[]> {
  return examine(CHECK, 'Read the log of the http function', async () => {
    const query = { order: 'fullest', limit: PAGE_SIZE };
    const { limits } = read(await api.get('/v1/limits', query), limitsShape);
    const waiting = limits.filter((limit) => limit.waiting.count > 0);
    const paused = waiting.filter((limit) => limit.paused !== null);
    const long = waiting.filter((limit) => limit.paused === null && waitOf(limit, now) >= STILL_MS);
    const findings = [
      ...paused.slice(0, MAX_LOOKED_AT).map(pausedFinding),
      ...(await lookClosely(api, long, now)),
    ];
    return findings.length > 0 ? findings : [ok(CHECK, 'no job waits beside a free place')];
  });
}

function waitOf({ oldest }: ShownLimit, now: number): number {
  return oldest === null ? 0 : now - Date.parse(oldest);
}

function pausedFinding({ key, paused, waiting }: ShownLimit): Finding {
  const detail = `limit '${key}' is paused since ${paused}, and ${jobsText(waiting)}`;
  return warning(CHECK, detail, `If this is not intended: remote-processor limits resume ${key}`);
}

async function lookClosely(api: Api, long: readonly ShownLimit[], now: number): Promise<Finding[]> {
  if (long.length === 0) return [];
  const [queues, workers] = await Promise.all([
    api.get('/v1/queues', { limit: PAGE_SIZE }),
    api.get('/v1/workers', { limit: PAGE_SIZE }),
  ]);
  const situation = { ...read(queues, queuesShape), ...read(workers, workersShape), now };
  if (long.some(hasFreePlace)) await wait(LOOK_AGAIN_MS);
  const looks = long.slice(0, MAX_LOOKED_AT).map(async (before) => {
    const after = read(await api.get(path`/v1/limits/${before.key}`), limitDetailsShape);
    return findingOf(before, after, situation) ?? [];
  });
  return (await Promise.all(looks)).flat();
}

/** Judges a limit by two looks. */
function findingOf(before: ShownLimit, after: LimitDetails, situation: Situation): Finding | undefined {
  if (after.waiting.count === 0 || after.paused !== null) return undefined;
  if (!hasFreePlace(after)) return heldFinding(after, situation);
  return hasFreePlace(before) && before.oldest === after.oldest ? freeFinding(after, situation) : undefined;
}

function hasFreePlace(limit: ShownLimit): boolean {
  return limit.taken < placesOf(limit);
}

function freeFinding(limit: LimitDetails, { queues }: Situation): Finding {
  const { key, taken, waiting } = limit;
  const detail = `limit '${key}': ${jobsText(waiting)} though only ${taken} of ${placesOf(limit)} places are taken`;
  const areAnyPaused = queues.some(({ paused }) => paused !== null);
  if (areAnyPaused)
    return warning(CHECK, detail, 'Check whether their queue is paused: remote-processor queues list');
  const fix =
    'Check that the worker and the scheduler function are invoked every minute, and read their logs';
  return failure(CHECK, detail, fix);
}

/** Finds a job that holds a place and that nobody can take, or that stops a strict order. */
function heldFinding({ key, waiting, holders }: LimitDetails, situation: Situation): Finding | undefined {
  for (const { id, jobName, queue, status } of holders) {
    if (status === 'error') return stoppedFinding(key, id, waiting);
    const reason = status === 'queued' ? whyUntaken(queue, situation) : undefined;
    if (reason === undefined) continue;
    const detail = `limit '${key}': ${jobsText(waiting)}, and job ${id} (${jobName}) holds a place: ${reason}`;
    return failure(CHECK, detail, `Let a worker take it, or: remote-processor cancel ${id}`);
  }
  return undefined;
}

function stoppedFinding(key: string, id: string, waiting: ShownLimit['waiting']): Finding {
  const detail = `'${key}' is stopped by job ${id}, which failed, and ${jobsText(waiting)}`;
  const fix = `Correct the cause, then: remote-processor retry ${id}, or remote-processor limits skip '${key}'`;
  return warning(CHECK, detail, fix);
}

function whyUntaken(name: string, { queues, workers, now }: Situation): string | undefined {
  const queue = queues.find((each) => each.name === name);
  if (queue && queue.paused !== null) return `its queue '${name}' is paused`;
  if (workers.length > 0 && !workers.some(({ queues: taken }) => taken === null || taken.includes(name)))
    return `no running worker takes its queue '${name}'`;
  return queue && isLate(queue, now) ? `nobody claims it from the queue '${name}'` : undefined;
}

function jobsText(waiting: ShownLimit['waiting']): string {
  return waiting.count === 1 ? '1 job waits' : `${countText(waiting)} jobs wait`;
}
