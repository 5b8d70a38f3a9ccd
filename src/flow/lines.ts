import type { AnyBulkWriteOperation } from 'mongodb';
import { batchesOf } from '../batches-of.js';
import type { Events } from '../events.js';
import {
  type ConcurrencyRule,
  type FlowRules,
  type HeldSlot,
  type JobLimit,
  limitNameOf,
  limitsWithoutSlot,
} from '../job/flow-rules.js';
import type { JobDocument } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import { anyMoment } from '../mongo/any-moment.js';
import { byIndex } from '../mongo/by-index.js';
import { isDuplicateKey, resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import { type FlowCollections, isUnset, type LimitDocument, nextLook } from './limit-document.js';
import type { LimitSettings } from './limit-settings.js';
import {
  type BlockedJob,
  findHeads,
  findTakenSlots,
  findTurnAfter,
  type Placement,
  place,
  placeFirst,
  type TakenSlots,
  waitsOnlyFor,
} from './line-statements.js';

/** Number of leases after which somebody looks after a line, at the latest. A minute with the default lease. */
const LEASES_UNTIL_LOOK = 2;

/** Maximum number of notes remembered. */
const MAX_NOTED = 10_000;

/** Jobs that one round takes from the head of each line. */
const PER_LINE = 20;

/** Lines that share a command. MongoDB allows 1000 stages in one. */
export const LINES_AT_A_TIME = 50;

/** Maximum number of keys that get more turns at a time. */
const MAX_KEYS = 4;

/** Maximum number of rounds for the same lines. Later jobs are found by the next look. */
const MAX_ROUNDS = 200;

/** Maximum number of limits that are looked after once a queue is resumed. */
const MAX_UNBLOCKED = 1000;

/** How long a command is tried again while the database cannot be reached. */
export const PATIENCE_MS = 5_000;

/** A job that holds places. */
export type SlotHolder = Pick<JobDocument, 'jobName' | 'limits' | 'slots'>;

/** A limit that somebody must look after now. */
export type DueLimit = Required<Pick<LimitDocument, '_id' | 'next'>>;

/** Options of `Lines`. */
export interface LinesOptions {
  readonly collections: FlowCollections;
  /** Rules of the kinds of jobs that this process has. */
  readonly rulesOf: (jobName: string) => FlowRules | undefined;
  /** Returns the paused queues. @throws the driver's errors */
  readonly pausedQueues: () => Promise<readonly string[]>;
  readonly settings: LimitSettings;
  readonly leaseMs: number;
  readonly events: Events;
}

/**
 * The lines of jobs that wait for a place in a limit.
 *
 * A place is one element of `slots`, and a unique index lets only one job hold it. There is no counter, so nothing can
 * leak. Whoever frees a place gives it to the first job in line. That process may die before it gives the place away. So
 * each limit with waiting jobs has a document that says when somebody must look after the limit. Recovery finds that
 * document.
 */
export class Lines {
  /** When this process noted each limit. */
  readonly #noted = new Map<string, number>();
  /** The key that got more turns last. */
  #lastTurn = '';
  readonly #lookAgainMs: number;
  /** Longest time from a note until somebody looks after the line. */
  readonly lookMs: number;

  constructor(private readonly options: LinesOptions) {
    this.#lookAgainMs = LEASES_UNTIL_LOOK * options.leaseMs;
    this.lookMs = this.#lookAgainMs + options.leaseMs;
  }

  /**
   * Makes sure that somebody looks after these limits. Called before one of them blocks a job, which must happen while the
   * job's lease lasts. A look removes the document of a limit only if it is due and the line is empty. So a note can be
   * trusted for some time.
   */
  async note(keys: Iterable<string>): Promise<void> {
    const now = performance.now();
    const isTrusted = (notedAt = Number.NEGATIVE_INFINITY) => now - notedAt < this.#lookAgainMs / 2;
    const unnoted = [...new Set(keys)].filter((key) => !isTrusted(this.#noted.get(key)));
    if (unnoted.length === 0) return;
    const { limits } = this.options.collections;
    const next = { $max: ['$next', { $add: ['$$NOW', this.lookMs] }] };
    const statements = unnoted.map((key) => ({
      updateOne: { filter: { _id: key }, update: [{ $set: { next } }], upsert: true },
    }));
    // A document that another process makes at the same moment is as good.
    const write = () => limits.bulkWrite(statements, { ordered: false }).catch(resultDespiteTakenKeys);
    await retryWhileUnreachable(PATIENCE_MS, write);
    if (this.#noted.size + unnoted.length > MAX_NOTED) this.#noted.clear();
    for (const key of unnoted) this.#noted.set(key, now);
  }

  /**
   * Gives the places of jobs that no longer need them to the jobs first in line. Returns the jobs that may run now. One
   * freed place costs one command, more cost two. Places of a limit that a person set cost three.
   */
  async release(holders: readonly SlotHolder[]): Promise<QueuedJob[]> {
    const freed = holders.flatMap(({ slots = [] }) => slots);
    const [only, ...others] = freed;
    if (only === undefined) return [];
    const keys = [...new Set(freed.map(({ key }) => key))];
    await this.options.settings.refresh();
    // As long as more places are taken than the lowered limit has, a freed one is not given away.
    if (holders.some((job) => this.#mayBeLowered(job))) return this.#fill(keys);
    if (others.length === 0) return this.#giveAway(only);
    const free = new Map<string, number[]>();
    for (const { key, number } of freed) free.set(key, [...(free.get(key) ?? []), number]);
    return this.#fill(keys, free);
  }

  /** Gives any place of a limit to the first job in line, unless that place is taken. Costs one command. */
  async offer({ key, limit }: JobLimit): Promise<QueuedJob[]> {
    return this.#giveAway({ key, number: Math.floor(Math.random() * limit) });
  }

  async #giveAway(slot: HeldSlot): Promise<QueuedJob[]> {
    const { collections, pausedQueues } = this.options;
    const first = await placeFirst(collections.jobs, slot, await pausedQueues()).catch(ignoreTaken);
    if (first === undefined) return [];
    if (!waitsOnlyFor(first, slot)) return this.#fill([slot.key]);
    this.#tellWaited(first);
    return [toQueuedJob(first)];
  }

  /**
   * Gives the free places of these limits to the jobs in line. Returns the jobs that may run now. Costs two commands. Costs
   * one if the caller knows the taken places of all limits, and no other places become free.
   */
  async unblock(keys: Iterable<string>, taken?: TakenSlots): Promise<QueuedJob[]> {
    return this.#fill([...new Set(keys)], undefined, taken);
  }

  /**
   * Gives free places to the jobs in line of any limit, because their queue is no longer paused. Looks at 1000 limits. The
   * next look finds the others.
   */
  async unblockAll(): Promise<QueuedJob[]> {
    const { limits } = this.options.collections;
    const options = { projection: { _id: 1 }, limit: MAX_UNBLOCKED, batchSize: MAX_UNBLOCKED + 1 };
    const waiting = { next: anyMoment, _id: { $not: /^(rate|breaker) / } };
    const found = await byIndex(limits, nextLook, (hint) =>
      limits.find(waiting, { ...options, ...hint }).toArray(),
    );
    return this.unblock(found.map(({ _id }) => _id));
  }

  /**
   * Passes the turns of starting jobs on to the next jobs of the same keys. Returns the jobs that may run now. While
   * workers have too few jobs, more jobs of each key get a turn, in proportion to the key's weight. Costs three commands.
   *
   * @param started the turns of the jobs that start, one for each key
   * @param idle how many more jobs the worker could run
   */
  async passOn(started: readonly JobLimit[], idle: number): Promise<QueuedJob[]> {
    const unblocked: QueuedJob[] = [];
    for (const some of batchesOf(started, LINES_AT_A_TIME)) {
      const turns = some.reduce((sum, { limit }) => sum + limit, 0);
      const furtherFor = (limit: number) => Math.ceil((Math.max(0, idle) * limit) / turns);
      const most = Math.max(...some.map(({ limit }) => limit));
      const perLine = most + furtherFor(most);
      const keys = some.map(({ key }) => key);
      const limitOf = (taken: TakenSlots) => (job: SlotHolder, key: string) => {
        const limit = this.limitOf(job, key);
        if (limit === 0) return 0; // Paused.
        return Math.max(limit, taken.get(key)?.size ?? 0) + furtherFor(limit);
      };
      const placed = await this.#placeHeads(keys, perLine, limitOf);
      unblocked.push(...placed.unblocked, ...(await this.#fill(placed.onward)));
    }
    return unblocked;
  }

  /** Gives more jobs a turn, of a few keys in rotation. See `passOn`. */
  async giveTurns(idle: number): Promise<QueuedJob[]> {
    const { jobs } = this.options.collections;
    const turns = new Map<string, JobLimit>();
    const from = this.#lastTurn;
    for (let step = 0; step < Math.min(idle, MAX_KEYS); step += 1) {
      const next = await findTurnAfter(jobs, this.#lastTurn);
      this.#lastTurn = next?.key ?? '';
      if (next) turns.set(next.key, next);
      else if (from === '') break; // All keys were asked.
    }
    return turns.size === 0 ? [] : this.passOn([...turns.values()], idle);
  }

  /** Looks after lines that are due, and returns the jobs that may run now. */
  async lookAfter(due: readonly DueLimit[]): Promise<QueuedJob[]> {
    const { collections, settings } = this.options;
    const unblocked: QueuedJob[] = [];
    for (const slice of batchesOf(due, LINES_AT_A_TIME)) {
      const keys = slice.map(({ _id }) => _id);
      unblocked.push(...(await this.#fill(keys)));
      const { heads } = await findHeads(collections, keys, 1);
      const waiting = new Set(heads.map(({ blockedBy }) => blockedBy));
      const statements = slice.map((limit) =>
        waiting.has(limit._id)
          ? lookAgain(limit, this.#lookAgainMs)
          : forget(limit, settings.holds(limit._id)),
      );
      await collections.limits.bulkWrite(statements, { ordered: false });
    }
    return unblocked;
  }

  /**
   * Whether more places of a limit of this job may be taken than the limit has. Its code was changed, or a person set it.
   */
  #mayBeLowered(job: SlotHolder): boolean {
    const { settings } = this.options;
    return (job.limits ?? []).some(({ key, limit }) => settings.isSet(key) || this.limitOf(job, key) < limit);
  }

  /**
   * @param known free places by key. Default: those that are not taken
   * @param taken taken places of some limits. Default: read from the database
   */
  async #fill(
    keys: readonly string[],
    known?: ReadonlyMap<string, readonly number[]>,
    taken?: TakenSlots,
  ): Promise<QueuedJob[]> {
    const unblocked: QueuedJob[] = [];
    for (const some of batchesOf(keys, LINES_AT_A_TIME))
      unblocked.push(...(await this.#fillSome(some, known, taken)));
    return unblocked;
  }

  async #fillSome(
    keys: readonly string[],
    known: ReadonlyMap<string, readonly number[]> | undefined,
    takenAtFirst: TakenSlots | undefined,
  ): Promise<QueuedJob[]> {
    const unblocked: QueuedJob[] = [];
    let open = keys;
    let free = known;
    let taken = takenAtFirst;
    for (let round = 0; round < MAX_ROUNDS && open.length > 0; round += 1) {
      const perLine = free ? Math.max(...[...free.values()].map(({ length }) => length)) : PER_LINE;
      const now = open.slice(0, LINES_AT_A_TIME);
      const placed = await this.#placeHeads(now, perLine, () => this.limitOf, free, taken);
      const { given, lost, onward } = placed;
      unblocked.push(...placed.unblocked);
      // A head whose limit is smaller takes none of the known places, though others may be free.
      const mayHaveMore = free ? placed.refused : fullLines(given, perLine);
      const later = open.slice(LINES_AT_A_TIME);
      open = [...new Set([...later, ...lost.map(({ slot }) => slot.key), ...mayHaveMore, ...onward])];
      free = undefined;
      taken = undefined;
    }
    return unblocked;
  }

  /**
   * Gives free places to the heads of these lines, once.
   *
   * @param limitsWith returns how many places a limit of a job has, given those that are taken
   * @param known free places by key. Default: those that are not taken
   * @param knownAsTaken taken places of some limits. Default: read from the database
   */
  async #placeHeads(
    keys: readonly string[],
    perLine: number,
    limitsWith: (taken: TakenSlots) => Lines['limitOf'],
    known?: ReadonlyMap<string, readonly number[]>,
    knownAsTaken: TakenSlots = new Map(),
  ): Promise<{
    readonly given: readonly Placement[];
    readonly lost: readonly Placement[];
    /** The jobs that may run now. */
    readonly unblocked: readonly QueuedJob[];
    /** The limits that the others wait for next. */
    readonly onward: readonly string[];
    /** The limits whose known places did not fit a job in line. */
    readonly refused: readonly string[];
  }> {
    const { collections, settings } = this.options;
    const { jobs } = collections;
    const toRead = known ? [] : keys.filter((key) => !knownAsTaken.has(key));
    const [{ heads, set }, read] = await Promise.all([
      findHeads(collections, keys, perLine, await this.options.pausedQueues()),
      findTakenSlots(jobs, toRead),
    ]);
    const taken = new Map([...knownAsTaken, ...read]);
    settings.learn(keys, set);
    const placesOf = (key: string) =>
      known ? new KnownPlaces(known.get(key) ?? []) : new UntakenPlaces(taken.get(key) ?? new Set());
    const { placements, refused } = plan(heads, limitsWith(taken), placesOf);
    const onward = placements.flatMap(({ next }) => next ?? []);
    await this.note(onward);
    const { given, areCertain } = await place(jobs, placements);
    for (const { job } of given) this.#tellWaited(job);
    const lost = areCertain ? placements.filter((one) => !given.includes(one)) : placements;
    const unblocked = given.filter(({ next }) => next === undefined).map(({ job }) => toQueuedJob(job));
    return { given, lost, unblocked, onward, refused };
  }

  #tellWaited({ _id: jobId, jobName, blockedBy: limitKey, waitedMs }: BlockedJob): void {
    const { events } = this.options;
    if (events.isHeard('jobWaited'))
      events.tell('jobWaited', { jobId, jobName, limit: limitNameOf(limitKey), limitKey, waitedMs });
  }

  /** The number of places of a limit of this job: as a person set it, or the smaller of its own rules' and today's. */
  readonly limitOf = (
    { jobName, limits = [] }: Pick<JobDocument, 'jobName' | 'limits'>,
    key: string,
  ): number => {
    const stored = limits.find((limit) => limit.key === key)?.limit ?? 0;
    const name = limitNameOf(key);
    const isSame = (rule: ConcurrencyRule) =>
      rule.name === name && (rule.key !== undefined) === key.includes('=');
    const today = this.options.rulesOf(jobName)?.concurrency.find((rule) => isSame(rule))?.limit;
    return this.options.settings.placesOf(key, Math.min(stored, today ?? stored));
  };
}

/** The places of a limit that a round may give away. */
interface Places {
  /** Returns a place for a job that knows the limit as this number of places. */
  take(limit: number): number | undefined;
  /** Whether a job got no place because its limit does not have the free ones. */
  readonly areUnfit: boolean;
}

/** Places that the caller has freed. */
class KnownPlaces implements Places {
  readonly #free: number[];

  constructor(free: readonly number[]) {
    this.#free = [...free];
  }

  take(limit: number): number | undefined {
    const index = this.#free.findIndex((number) => number < limit);
    return index === -1 ? undefined : this.#free.splice(index, 1)[0];
  }

  get areUnfit(): boolean {
    return this.#free.length > 0;
  }
}

/** The places that nobody has. None while more places are taken than the limit has, because the limit was lowered. */
class UntakenPlaces implements Places {
  readonly areUnfit = false;
  readonly #taken: Set<number>;
  #first = 0;

  constructor(taken: ReadonlySet<number>) {
    this.#taken = new Set(taken);
  }

  take(limit: number): number | undefined {
    if (this.#taken.size >= limit) return undefined;
    while (this.#taken.has(this.#first)) this.#first += 1;
    if (this.#first >= limit) return undefined;
    this.#taken.add(this.#first);
    return this.#first;
  }
}

/** Plans which jobs get which places. `refused` are the limits whose places were unfit for a job in line. */
function plan(
  heads: readonly BlockedJob[],
  limitOf: Lines['limitOf'],
  placesOf: (key: string) => Places,
): { readonly placements: Placement[]; readonly refused: readonly string[] } {
  const places = new Map<string, Places>();
  const full = new Set<string>();
  const placements = heads.flatMap((job) => {
    const { blockedBy: key, limits, slots = [] } = job;
    if (full.has(key)) return []; // The jobs behind must not pass.
    const free = places.get(key) ?? placesOf(key);
    places.set(key, free);
    const number = free.take(limitOf(job, key));
    if (number === undefined) {
      full.add(key);
      return [];
    }
    const slot = { key, number };
    const [nextLine] = limitsWithoutSlot(limits, [...slots, slot]);
    return [{ job, slot, next: nextLine?.key }];
  });
  return { placements, refused: [...full].filter((key) => places.get(key)?.areUnfit) };
}

/** The numbers of free places. None while more places are taken than the limit has, because the limit was lowered. */
export function freeNumbers(limit: number, taken: ReadonlySet<number> = new Set()): number[] {
  const free = Array.from({ length: limit }, (_, number) => number).filter((number) => !taken.has(number));
  return free.slice(0, Math.max(0, limit - taken.size));
}

/** The lines that may have more jobs. A round found as many jobs in them as it asked for, and gave places to all. */
function fullLines(given: readonly Placement[], perLine: number): string[] {
  const counts = new Map<string, number>();
  for (const { slot } of given) counts.set(slot.key, (counts.get(slot.key) ?? 0) + 1);
  return [...counts].filter(([, count]) => count === perLine).map(([key]) => key);
}

function toQueuedJob({ jobName, queue }: BlockedJob): QueuedJob {
  return { jobName, queue, runAt: 0 };
}

/** Another process took the place at the same moment. */
function ignoreTaken(error: unknown): undefined {
  if (!isDuplicateKey(error)) throw error;
}

type LimitStatement = AnyBulkWriteOperation<LimitDocument>;

/**
 * Returns the statement after a look that found jobs. It changes nothing if another job has come to wait since the look
 * began.
 */
function lookAgain({ _id, next }: DueLimit, againMs: number): LimitStatement {
  const again = [{ $set: { next: { $add: ['$$NOW', againMs] } } }];
  return { updateOne: { filter: { _id, next }, update: again } };
}

/**
 * Returns the statement after a look that found no job. If a job has come to wait since the look began, `next` has changed,
 * and the statement changes nothing. If the setting was changed since it was read, the next look forgets the limit.
 */
function forget({ _id, next }: DueLimit, isSet: boolean): LimitStatement {
  return isSet
    ? { updateOne: { filter: { _id, next, $nor: [isUnset] }, update: { $unset: { next: true } } } }
    : { deleteOne: { filter: { _id, next, ...isUnset } } };
}
