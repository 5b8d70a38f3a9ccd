import { isKind } from '../brand.js';
import { IndexMissingError } from '../errors.js';
import type { Events } from '../events.js';
import type { JobFactory } from '../job/define-job.js';
import {
  dependOnInput,
  exclusiveLimit,
  type HeldSlot,
  isLined,
  isOrder,
  isTurn,
  type JobLimit,
  limitNameOf,
  limitsOf,
  limitsWithoutSlot,
  type RateRule,
} from '../job/flow-rules.js';
import { groupLimitKey } from '../job/group.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import { requireUniqueSlots } from '../job/require-unique-index.js';
import { type TurnedAway, turnAway } from '../job/turn-away.js';
import type { Logger } from '../log.js';
import { byId } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import type { Breakers } from './breakers.js';
import type { FlowCollections } from './limit-document.js';
import type { LimitSettings } from './limit-settings.js';
import { findTakenSlots } from './line-statements.js';
import { freeNumbers, type Lines, PATIENCE_MS, type SlotHolder } from './lines.js';
import { reserve, slowDown } from './reserve.js';

/** How often a job tries another place after it lost one to another worker. */
const MAX_TRIES = 3;

/** How long a job with limits is put off while the index of places is missing. */
const WITHOUT_INDEX_MS = 60_000;

/** Options of a gate. */
export interface GateOptions {
  readonly collections: FlowCollections;
  readonly factory: (jobName: string) => JobFactory | undefined;
  readonly lines: Lines;
  /** Whether a kind of job of this process takes turns. */
  readonly takesTurns: () => boolean;
  readonly settings: LimitSettings;
  readonly breakers: Breakers;
  readonly events: Events;
  readonly log: Logger;
}

/**
 * The gate between a claim and the start of the claimed jobs. A job of a kind with limits starts only while it holds a
 * place in each of its concurrency limits, and once its rate limit has granted it a start.
 *
 * A job that finds a limit full is returned to the queue as blocked. No claim sees such a job until somebody gives it a
 * place. So a job is turned away at most once per limit, and blocked jobs cost a claim nothing.
 */
export class Gate {
  constructor(private readonly options: GateOptions) {}

  /**
   * Admits the jobs that may start, and returns the others to the queue. Jobs without limits and without a circuit
   * breaker cost nothing.
   *
   * @param claimed jobs of one claim
   * @param room how many jobs the worker can take
   * @param giveBack gives back a job. Called for all of them if they could not be admitted
   * @throws the driver's errors. The jobs that could not be given back are recovered once their leases expire
   */
  async admit(
    claimed: readonly ClaimedJob[],
    room: number,
    giveBack: (job: ClaimedJob) => Promise<unknown>,
  ): Promise<Admitted> {
    const { breakers } = this.options;
    try {
      const allowed = await breakers.admit(claimed);
      const result = await this.#admit(allowed, room);
      await breakers.letGo(result.admitted, allowed);
      return result;
    } catch (error) {
      await Promise.allSettled(claimed.map(giveBack));
      throw error;
    }
  }

  async #admit(claimed: readonly ClaimedJob[], room: number): Promise<Admitted> {
    const isLimited = claimed.some(
      ({ jobName, exclusiveKey, groupLimit, slots }) =>
        exclusiveKey !== undefined ||
        groupLimit !== undefined ||
        slots !== undefined ||
        this.options.factory(jobName)?.flow !== undefined,
    );
    if (!isLimited && claimed.length <= room) return { admitted: [...claimed], requeued: [] };
    const isIndexMissing = isLimited && (await this.#lacksIndex());
    if (isLimited) await this.options.settings.refresh();
    const arrivals = await Promise.all(claimed.map((job) => this.#arrivalOf(job)));
    return new Admission(this.options, arrivals, room, isIndexMissing).decide();
  }

  async #lacksIndex(): Promise<boolean> {
    try {
      await requireUniqueSlots(this.options.collections);
      return false;
    } catch (error) {
      if (!isKind(error, IndexMissingError)) throw error;
      this.options.log.error('No job with a limit runs', { error: error.message });
      return true;
    }
  }

  /**
   * Gives more jobs a turn, because the worker has too few jobs. Returns the jobs that may run now. Costs nothing if no
   * kind of this process takes turns, and one command if no job waits for its turn.
   *
   * @param idle how many more jobs the worker could run
   * @throws the driver's errors
   */
  async giveTurns(idle: number): Promise<QueuedJob[]> {
    return this.options.takesTurns() ? this.options.lines.giveTurns(idle) : [];
  }

  /** Lets no other job start for a time under the rate limit of this job. */
  async slowDown(job: ClaimedJob, delayMs: number): Promise<void> {
    const { rate } = await this.#arrivalOf(job);
    if (rate) await slowDown(this.options.collections.limits, rate.key, delayMs);
  }

  async #arrivalOf(job: ClaimedJob): Promise<Arrival> {
    const factory = this.options.factory(job.jobName);
    const { slots = [] } = job;
    const own = ownLimits(job);
    if (!factory?.flow) {
      const limits = [...linesEntered(job), ...own];
      return { job, limits, slots, isLimited: limits.length > 0 };
    }
    try {
      const input = dependOnInput(factory.flow) ? await factory.parseInput(job.input) : undefined;
      const { limits: today, rateKey } = limitsOf(job.jobName, factory.flow, input);
      const { rate } = factory.flow;
      const isRated = rate && rateKey !== undefined;
      const others = today.filter(({ key }) => !hasLineOfKind(job, key));
      // In the same order for all jobs, so that no two wait for each other.
      const limits = [...linesEntered(job), ...own, ...others];
      return { job, limits, slots, isLimited: true, ...(isRated && { rate: { rule: rate, key: rateKey } }) };
    } catch {
      // The attempt fails, for the same reason, or because it lacks its places. See run-attempt.ts.
      return { job, limits: [], slots, isLimited: true };
    }
  }
}

/** The limits that a job has by itself, and not by its kind. */
function ownLimits({ jobName, exclusiveKey, group, groupLimit }: ClaimedJob): JobLimit[] {
  return [
    ...(exclusiveKey === undefined ? [] : [exclusiveLimit(jobName, exclusiveKey)]),
    ...(group === undefined || groupLimit === undefined
      ? []
      : [{ key: groupLimitKey(group), limit: groupLimit }]),
  ];
}

/** The lines that a job entered when it was added. The job stays in these lines, whatever the rules say today. */
function linesEntered({ limits = [] }: ClaimedJob): JobLimit[] {
  return limits.filter(isLined);
}

function hasLineOfKind(job: ClaimedJob, key: string): boolean {
  return linesEntered(job).some(
    (limit) => (isOrder(key) && isOrder(limit.key)) || (isTurn(key) && isTurn(limit.key)),
  );
}

/** The claimed jobs, sorted by what became of them. */
export interface Admitted {
  /** The jobs that may start. */
  readonly admitted: ClaimedJob[];
  /** Jobs that were given a place, or a moment, and that no worker was told of yet. */
  readonly requeued: QueuedJob[];
}

/** A claimed job at the gate. */
interface Arrival {
  readonly job: ClaimedJob;
  readonly isLimited: boolean;
  readonly limits: readonly JobLimit[];
  readonly slots: readonly HeldSlot[];
  readonly rate?: { readonly key: string; readonly rule: RateRule };
}

type Decision = { readonly kind: 'admitted'; readonly slots: readonly HeldSlot[] } | TurnedAway;

/** Decides about the jobs of one claim. */
class Admission {
  readonly #taken = new Map<string, Set<number>>();
  /** Jobs that give up places that they held. */
  readonly #givingUp: SlotHolder[] = [];
  readonly #requeued: QueuedJob[] = [];

  constructor(
    private readonly options: GateOptions,
    private readonly arrivals: readonly Arrival[],
    private readonly room: number,
    private readonly isIndexMissing: boolean,
  ) {}

  async decide(): Promise<Admitted> {
    const { lines } = this.options;
    await this.#readTaken();
    let undecided = this.arrivals;
    const admitted: ClaimedJob[] = [];
    const blockedBy = new Set<string>();
    const turns = new Map<string, JobLimit>();
    for (let tries = 0; undecided.length > 0; tries += 1) {
      const decisions = await this.#decideAll(undecided, this.room - admitted.length, tries >= MAX_TRIES);
      for (const decision of decisions.values()) if (decision.kind === 'blocked') blockedBy.add(decision.by);
      await lines.note(blockedBy);
      const lost = await this.#write(decisions);
      for (const [arrival, decision] of decisions) {
        if (decision.kind !== 'admitted' || lost.has(arrival)) continue;
        admitted.push(asAdmitted(arrival, decision.slots));
        for (const limit of arrival.limits) if (isTurn(limit.key)) turns.set(limit.key, limit);
      }
      undecided = [...lost];
    }
    // A place may have become free between the look and the write, and its holder found no job in line. Or a person has
    // changed the limit since. If jobs of this claim hold all places of a limit, all are known to be taken, because these
    // jobs have not begun.
    const held = this.#heldBy(admitted);
    if (blockedBy.size > 0) this.#requeued.push(...(await lines.unblock(blockedBy, held)));
    // The number of turns grows slowly, because the keys of other claims are to have some too.
    const idle = Math.min(this.room - admitted.length, admitted.length);
    this.#requeued.push(...(await lines.passOn([...turns.values()], idle)));
    if (this.#givingUp.length > 0) this.#requeued.push(...(await lines.release(this.#givingUp)));
    return { admitted, requeued: this.#requeued };
  }

  /** Finds the taken places of limits. Reads nothing about a limit if jobs of this claim hold all its places. */
  async #readTaken(): Promise<void> {
    const { settings } = this.options;
    const held = this.#heldBy(this.arrivals);
    for (const [key, numbers] of held) this.#taken.set(key, new Set(numbers));
    const keys = this.arrivals.flatMap(({ limits, slots }) => [
      ...limitsWithoutSlot(limits, slots).flatMap(({ key }) => (held.has(key) ? [] : [key])),
      ...slots.map(({ key }) => key).filter((key) => settings.isSet(key)),
    ]);
    const { jobs } = this.options.collections;
    for (const [key, numbers] of await findTakenSlots(jobs, [...new Set(keys)]))
      this.#taken.set(key, new Set(numbers));
  }

  async #decideAll(
    arrivals: readonly Arrival[],
    room: number,
    isLastTry: boolean,
  ): Promise<Map<Arrival, Decision>> {
    const decisions = new Map<Arrival, Decision>();
    let left = room;
    for (const arrival of arrivals) {
      const decision = this.#decisionFor(arrival, isLastTry);
      // However many jobs a rate limit does not let start, each gets a moment.
      const hasRoom = decision.kind !== 'admitted' || arrival.rate !== undefined || left > 0;
      decisions.set(arrival, hasRoom ? decision : { kind: 'returned' });
      if (decision.kind === 'admitted' && !arrival.rate) left -= 1;
    }
    await this.#askRates(decisions, left);
    return decisions;
  }

  #decisionFor(arrival: Arrival, isLastTry: boolean): Decision {
    if (arrival.isLimited && this.isIndexMissing)
      return { kind: 'postponed', until: new Date(Date.now() + WITHOUT_INDEX_MS) };
    return this.#placesFor(arrival, isLastTry);
  }

  /** Chooses free places for a job. */
  #placesFor({ job, limits, slots }: Arrival, isLastTry: boolean): Decision {
    const held = [...slots];
    for (const [index, { key, limit }] of limits.entries()) {
      if (isTurn(key) && job.postponedBy !== undefined) continue; // It had its turn before its rate limit put it off.
      const places = this.options.settings.placesOf(key, limit);
      const own = slots.find((slot) => slot.key === key);
      if (own && this.#mayKeep(own, places)) continue;
      const isInVain = own !== undefined || isLastTry || isLined({ key, limit });
      const number = isInVain ? undefined : this.#freeNumber(key, places);
      if (number === undefined) {
        // Places of later limits would let two jobs wait for each other: a deployment may have added a limit before them.
        const before = limits.slice(0, index).map((limit) => limit.key);
        const kept = (isLastTry ? slots : held).filter((slot) => before.includes(slot.key));
        const givenUp = slots.filter((slot) => !before.includes(slot.key));
        for (const slot of givenUp) this.#taken.get(slot.key)?.delete(slot.number);
        if (givenUp.length > 0) this.#givingUp.push({ ...job, slots: givenUp });
        return { kind: 'blocked', by: key, limits, slots: kept };
      }
      this.#take({ key, number });
      held.push({ key, number });
    }
    return { kind: 'admitted', slots: held.filter(({ key }) => !isTurn(key)) };
  }

  /** Returns the taken places of each limit that these jobs fill completely. */
  #heldBy(jobs: readonly Pick<ClaimedJob, 'slots' | 'limits'>[]): Map<string, Set<number>> {
    const most = new Map<string, number>();
    for (const { key, limit } of this.arrivals.flatMap(({ limits }) => limits))
      most.set(key, Math.max(limit, most.get(key) ?? 0));
    const areAll = (key: string, count: number) =>
      count >= (most.get(key) ?? 0) && !this.options.settings.isSet(key);
    return new Map([...takenBy(jobs)].filter(([key, numbers]) => areAll(key, numbers.size)));
  }

  /** Whether a job may start with a place that it got earlier. A person may have paused or lowered the limit since. */
  #mayKeep({ key, number }: HeldSlot, places: number): boolean {
    if (isTurn(key)) return places > 0; // More turns than that are given to idle workers.
    const areTooManyTaken = this.options.settings.isSet(key) && (this.#taken.get(key)?.size ?? 0) > places;
    return number < places && !areTooManyTaken;
  }

  /** A random free place, so that workers that look at the same moment seldom choose the same. */
  #freeNumber(key: string, limit: number): number | undefined {
    const free = freeNumbers(limit, this.#taken.get(key));
    return free[Math.floor(Math.random() * free.length)];
  }

  #take({ key, number }: HeldSlot): void {
    const taken = this.#taken.get(key);
    if (taken) taken.add(number);
    else this.#taken.set(key, new Set([number]));
  }

  /**
   * Asks the rate limits of the jobs that have all their places, one statement per limit.
   *
   * @param room how many of them the worker can take
   */
  async #askRates(decisions: Map<Arrival, Decision>, room: number): Promise<void> {
    const { limits } = this.options.collections;
    await Promise.all(
      [...byRate(decisions, room)].map(async ([key, { rule, arrivals, most }]) => {
        const expected = arrivals.filter(({ job }) => job.postponedBy !== undefined);
        const others = arrivals.filter(({ job }) => job.postponedBy === undefined);
        const request = { expected: expected.length, others: others.length, most };
        const { granted, momentOf, now } = await reserve(limits, key, rule, request);
        [...expected, ...others].slice(granted).forEach((arrival, index) => {
          const until = momentOf(index);
          const { jobName, queue, slots } = arrival.job;
          decisions.set(arrival, { kind: 'postponed', until, by: key });
          this.#tellWaits(arrival.job, key, until.getTime() - now.getTime());
          this.#requeued.push({ jobName, queue, runAt: until });
          if (slots) this.#givingUp.push(arrival.job);
        });
      }),
    );
  }

  #tellWaits({ id: jobId, jobName }: ClaimedJob, limitKey: string, waitedMs: number): void {
    const { events } = this.options;
    if (events.isHeard('jobWaited'))
      events.tell('jobWaited', { jobId, jobName, limit: limitNameOf(limitKey), limitKey, waitedMs });
  }

  /** Writes the decisions, and returns the jobs that lost a place to another worker at the same moment. */
  async #write(decisions: Map<Arrival, Decision>): Promise<Set<Arrival>> {
    const { jobs } = this.options.collections;
    const changes = [...decisions].filter(([arrival, decision]) => isChange(arrival, decision));
    if (changes.length === 0) return new Set();
    const statements = changes.map(([arrival, decision]) => ({
      updateOne: { filter: leaseOf(arrival.job), update: toUpdate(arrival, decision), ...byId },
    }));
    const result = await retryWhileUnreachable(PATIENCE_MS, () =>
      jobs.bulkWrite(statements, { ordered: false }).catch(resultDespiteTakenKeys),
    );
    const lost = new Set<Arrival>();
    for (const { index } of result.getWriteErrors()) {
      const change = changes[index];
      if (change) lost.add(change[0]);
    }
    if (lost.size > 0) await this.#readTaken();
    if (result.matchedCount + lost.size < changes.length) await this.#dropUnleased(decisions, lost);
    return lost;
  }

  /** Takes out the jobs whose leases were lost in the meantime, so that none runs without its places. */
  async #dropUnleased(decisions: Map<Arrival, Decision>, lost: Set<Arrival>): Promise<void> {
    const { jobs } = this.options.collections;
    const ids = [...decisions.keys()].map(({ job }) => job.id);
    const tokens = [...new Set([...decisions.keys()].map(({ job }) => job.token))];
    const leased = {
      _id: { $in: ids },
      status: 'processing' as const,
      'lease.token': { $in: tokens },
      ...isLive,
    };
    const found = await jobs.find(leased, { projection: { _id: 1 }, ...byId }).toArray();
    const held = new Set(found.map(({ _id }) => _id));
    for (const arrival of [...decisions.keys()].filter(({ job }) => !held.has(job.id))) {
      decisions.delete(arrival);
      lost.delete(arrival);
    }
  }
}

/** Returns the places that these jobs hold, by limit. */
function takenBy(jobs: readonly Pick<ClaimedJob, 'slots'>[]): Map<string, Set<number>> {
  const taken = new Map<string, Set<number>>();
  for (const { key, number } of jobs.flatMap(({ slots = [] }) => slots))
    taken.set(key, (taken.get(key) ?? new Set()).add(number));
  return taken;
}

/** A worker that was frozen for longer than its lease may no longer decide: its notes may have been removed. */
const isLive = { $expr: { $gt: ['$lease.expires', '$$NOW'] } };

function leaseOf({ id, token }: ClaimedJob) {
  return { _id: id, status: 'processing' as const, 'lease.token': token, ...isLive };
}

/** Jobs that ask a rate limit. */
interface Rated {
  readonly rule: RateRule;
  readonly arrivals: Arrival[];
  /** How many of them the worker can take. */
  most: number;
}

/** Groups the jobs that have all their places by their rate limits. The first of them share the room. */
function byRate(decisions: ReadonlyMap<Arrival, Decision>, room: number): Map<string, Rated> {
  const byKey = new Map<string, Rated>();
  let left = room;
  for (const [arrival, { kind }] of decisions) {
    const { rate } = arrival;
    if (!rate || kind !== 'admitted') continue;
    const rated = byKey.get(rate.key) ?? { rule: rate.rule, arrivals: [], most: 0 };
    byKey.set(rate.key, rated);
    rated.arrivals.push(arrival);
    if (left > 0) rated.most += 1;
    left -= 1;
  }
  return byKey;
}

/** Whether the database must learn of a decision. It knows a job that came with all its places. */
function isChange({ slots }: Arrival, decision: Decision): boolean {
  return (
    decision.kind !== 'admitted' ||
    decision.slots.length > slots.length ||
    slots.some(({ key }) => isTurn(key))
  );
}

function toUpdate({ limits }: Arrival, decision: Decision) {
  if (decision.kind !== 'admitted') return turnAway(decision);
  const held = { limits: [...limits], slots: [...decision.slots] } satisfies Partial<JobDocument>;
  return decision.slots.length > 0 ? { $set: held } : { $unset: { slots: true } as const };
}

function asAdmitted({ job, limits }: Arrival, slots: readonly HeldSlot[]): ClaimedJob {
  const { slots: _, ...withoutSlots } = job;
  return slots.length === 0 ? withoutSlots : { ...job, limits, slots };
}
