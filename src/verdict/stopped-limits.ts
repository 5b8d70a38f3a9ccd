import ms from 'ms';
import { type LimitDocument, nextLook, settingIndex } from '../flow/limit-document.js';
import { type BlockedJob, findHeads, findSlotHolders, takenBy } from '../flow/line-statements.js';
import { isOrder } from '../job/flow-rules.js';
import type { JobDocument } from '../job/job.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byIndex } from '../mongo/by-index.js';
import { findingsOf, MAX_FOUND, type VerdictFinding } from './finding.js';
import { isTaken, pausedNames, type Situation } from './situation.js';

/**
 * How long a line may wait beside a free place. The process that freed the place may have crashed. Another looks within two
 * minutes.
 */
const STILL_MS = ms('2m');

/** Maximum number of limits to look at: those in use that are to be checked next, and paused ones. */
const MAX_IN_USE = 200;
const MAX_LINES = 50;

/** Maximum number of places whose holders are read. */
const MAX_PLACES = 1000;

/** A limit that jobs wait for. */
interface Line {
  readonly key: string;
  readonly head: BlockedJob;
  readonly paused: Date | undefined;
  /** Number of places. Undefined if it is unknown. */
  readonly places: number | undefined;
}

type Holder = Pick<JobDocument, '_id' | 'slots' | 'jobName' | 'queue' | 'status'>;

/**
 * Finds limits that jobs wait for, and that are paused or stand still.
 *
 * Looks at 70 limits at most: the paused ones, and those that are to be checked next. Costs three commands. Lines that have
 * waited for two minutes cost two or four more. Reads the first job of each line, and the jobs that hold places of a line that
 * waits.
 */
export async function findStoppedLimits(situation: Situation): Promise<VerdictFinding[]> {
  const lines = await findLines(situation);
  const paused = lines.filter((line) => line.paused !== undefined);
  const pausedQueues = pausedNames(situation);
  const isHeld = ({ key, head }: Line) => !isOrder(key) && pausedQueues.has(head.queue);
  const waiting = lines.filter(
    (line) => line.paused === undefined && line.head.waitedMs >= STILL_MS && !isHeld(line),
  );
  return [...findingsOf(paused, pausedFinding), ...(await lookClosely(waiting, situation))];
}

async function findLines(situation: Situation): Promise<Line[]> {
  const { limits } = situation.collections;
  const inUse = [
    { $match: { next: anyMoment } },
    { $sort: { next: 1 } },
    { $limit: MAX_IN_USE },
    { $match: { _id: { $not: /^(rate|breaker) / } } },
    { $limit: MAX_LINES },
    { $project: { _id: 1 } },
  ];
  const isPaused = { set: anyMoment, paused: { $exists: true } };
  const options = { projection: { _id: 1 }, limit: MAX_FOUND, batchSize: MAX_FOUND + 1 };
  const found = await Promise.all([
    byIndex(limits, nextLook, (hint) =>
      limits.aggregate<Pick<LimitDocument, '_id'>>(inUse, { batchSize: MAX_LINES + 1, ...hint }).toArray(),
    ),
    byIndex(limits, settingIndex, (hint) => limits.find(isPaused, { ...options, ...hint }).toArray()),
  ]);
  const keys = [...new Set(found.flat().map(({ _id }) => _id))];
  return linesOf(keys, situation);
}

/** Returns the lines that anybody waits in. */
async function linesOf(keys: readonly string[], { collections }: Situation): Promise<Line[]> {
  const { heads, set } = await findHeads(collections, keys, 1);
  return heads.map((head) => {
    const { blockedBy: key, limits } = head;
    const setting = set.find(({ _id }) => _id === key);
    const places = setting?.max ?? limits.find((limit) => limit.key === key)?.limit;
    return { key, head, paused: setting?.paused, places };
  });
}

async function lookClosely(lines: readonly Line[], situation: Situation): Promise<VerdictFinding[]> {
  if (lines.length === 0) return [];
  const looked = withFewPlaces(lines).slice(0, MAX_FOUND);
  const holdersOf = await findHolders(looked, situation);
  const free = looked.filter((line) => hasFreePlace(line, holdersOf(line.key)));
  const still = free.length === 0 ? [] : await whereStillFree(free, situation);
  return looked.flatMap((line) => {
    if (still.includes(line.key)) return [stuckFinding(line)];
    return free.includes(line) ? [] : heldFinding(line, holdersOf(line.key), situation);
  });
}

/** Returns the first lines whose limits together do not have too many places. */
function withFewPlaces(lines: readonly Line[]): readonly Line[] {
  let places = 0;
  return lines.filter((line) => {
    places += line.places ?? 0;
    return places <= MAX_PLACES;
  });
}

async function findHolders(
  lines: readonly Line[],
  { collections: { jobs } }: Situation,
): Promise<(key: string) => readonly Holder[]> {
  const keys = lines.map(({ key }) => key);
  const holders: readonly Holder[] = await findSlotHolders(jobs, keys, { jobName: 1, queue: 1, status: 1 });
  return (key) => holders.filter(({ slots = [] }) => slots.some((slot) => slot.key === key));
}

function hasFreePlace({ key, places }: Line, holders: readonly Holder[]): boolean {
  return places !== undefined && (takenBy(holders, [key]).get(key)?.size ?? 0) < places;
}

/** Looks again, since a place is free for a moment whenever a job ends. Returns the limits whose lines have not moved. */
async function whereStillFree(lines: readonly Line[], situation: Situation): Promise<readonly string[]> {
  const keys = lines.map(({ key }) => key);
  const now = await linesOf(keys, situation);
  const holdersOf = await findHolders(now, situation);
  const hasMoved = ({ key, head }: Line) =>
    !lines.some((line) => line.key === key && line.head._id === head._id);
  return now
    .filter((line) => !hasMoved(line) && hasFreePlace(line, holdersOf(line.key)))
    .map(({ key }) => key);
}

function sinceOf({ head }: Line, { now }: Situation): Date {
  return new Date(now.getTime() - head.waitedMs);
}

function pausedFinding({ key, paused }: Line): VerdictFinding {
  return {
    code: 'paused_limit',
    severity: 'warning',
    about: { type: 'limit', name: key },
    text: `limit '${key}' is paused, and jobs wait for it`,
    advice: `If this is not intended: remote-processor limits resume '${key}'`,
    since: paused,
    actions: ['see', 'resume'],
  };
}

function stuckFinding({ key }: Line): VerdictFinding {
  return {
    code: 'stuck_limit',
    severity: 'failure',
    about: { type: 'limit', name: key },
    text: `limit '${key}': jobs wait though a place is free`,
    advice: 'Check that the worker and the scheduler function are invoked every minute, and read their logs',
    since: undefined,
    actions: ['see'],
  };
}

/** Finds a place's holder that no worker can take, or a job that stops a strict order. */
function heldFinding(line: Line, holders: readonly Holder[], situation: Situation): VerdictFinding[] {
  const { key } = line;
  const shared = {
    code: 'stopped_limit',
    about: { type: 'limit', name: key },
    since: sinceOf(line, situation),
  } as const;
  for (const { _id: id, jobName, queue, status } of holders) {
    if (status === 'error') {
      return [
        {
          ...shared,
          severity: 'warning',
          text: `'${key}' is stopped by job ${id}, which failed, and jobs wait`,
          advice: `Correct the cause, then: remote-processor retry ${id}, or remote-processor limits skip '${key}'`,
          actions: ['see', 'retry', 'skip'],
          jobId: id,
        },
      ];
    }
    const reason = status === 'queued' ? whyUntaken(queue, situation) : undefined;
    if (reason === undefined) continue;
    return [
      {
        ...shared,
        severity: 'failure',
        text: `limit '${key}': jobs wait, and job ${id} (${jobName}) holds a place: ${reason}`,
        advice: `Let a worker take it, or: remote-processor cancel ${id}`,
        actions: ['see'],
        jobId: id,
      },
    ];
  }
  return [];
}

function whyUntaken(queue: string, situation: Situation): string | undefined {
  if (pausedNames(situation).has(queue)) return `its queue '${queue}' is paused`;
  const { workers } = situation;
  return workers.length > 0 && !isTaken(queue, workers)
    ? `no running worker takes its queue '${queue}'`
    : undefined;
}
