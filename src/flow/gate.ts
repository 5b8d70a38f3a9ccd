import type { JobFactory } from '../job/define-job.js';
import { type TurnedAway, turnAway } from '../job/end-attempt.js';
import { type HeldSlot, type JobLimit, limitsOf, type RateRule } from '../job/flow-rules.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { requireUniqueSlots } from '../job/require-unique-index.js';
import { byId } from '../mongo/by-index.js';
import { resultDespiteTakenKeys } from '../mongo/duplicate-key.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import type { FlowCollections } from './limit-document.js';
import { findTakenSlots } from './line-statements.js';
import type { Lines } from './lines.js';
import { reserve, slowDown } from './reserve.js';

/** How often a job tries another place after it lost one to another worker. */
const MAX_TRIES = 3;

/** How long a statement is tried again while the database cannot be reached. */
const PATIENCE_MS = 5_000;

/** Options of a gate. */
export interface GateOptions {
  readonly collections: FlowCollections;
  readonly factory: (jobName: string) => JobFactory | undefined;
  readonly lines: Lines;
}

/**
 * The gate between a claim and the start of the claimed jobs. A job of a kind with limits starts only while it holds a
 * place in each of its concurrency limits, and once its rate limit has granted it a start.
 *
 * A job that finds a limit full is returned to the queue as blocked. No claim sees it until somebody gives it a place.
 * So a job is turned away at most once per limit, and blocked jobs cost a claim nothing.
 */
export class Gate {
  constructor(private readonly options: GateOptions) {}

  /**
   * Returns the jobs that may start. Returns the others to the queue. Jobs without limits cost nothing.
   *
   * @param claimed jobs of one claim
   * @param room how many jobs the worker can take
   * @throws IndexMissingError, and the driver's errors. The jobs are then still leased
   */
  async admit(claimed: readonly ClaimedJob[], room = claimed.length): Promise<ClaimedJob[]> {
    const limited = claimed.filter(({ jobName }) => this.options.factory(jobName)?.flow !== undefined);
    if (limited.length === 0 && claimed.length <= room) return [...claimed];
    if (limited.length > 0) await requireUniqueSlots(this.options.collections);
    const arrivals = await Promise.all(claimed.map((job) => this.#arrivalOf(job)));
    const admission = new Admission(this.options, arrivals, room);
    return admission.decide();
  }

  /** Lets no other job start for a time under the rate limit of this job. */
  async slowDown(job: ClaimedJob, delayMs: number): Promise<void> {
    const { rate } = await this.#arrivalOf(job);
    if (rate) await slowDown(this.options.collections.limits, rate.key, delayMs);
  }

  async #arrivalOf(job: ClaimedJob): Promise<Arrival> {
    const factory = this.options.factory(job.jobName);
    if (!factory?.flow) return { job, limits: [], slots: job.slots ?? [] };
    try {
      const { limits, rateKey } = limitsOf(job.jobName, factory.flow, await factory.parseInput(job.input));
      const { rate } = factory.flow;
      const slots = job.slots ?? [];
      return {
        job,
        limits,
        slots,
        ...(rate && rateKey !== undefined && { rate: { rule: rate, key: rateKey } }),
      };
    } catch {
      // The attempt fails for the same reason, and tells it.
      return { job, limits: [], slots: job.slots ?? [] };
    }
  }
}

/** A claimed job at the gate. */
interface Arrival {
  readonly job: ClaimedJob;
  readonly limits: readonly JobLimit[];
  readonly slots: readonly HeldSlot[];
  readonly rate?: { readonly key: string; readonly rule: RateRule };
}

type Decision = { readonly kind: 'admitted'; readonly slots: readonly HeldSlot[] } | TurnedAway;

/** Decides about the jobs of one claim. */
class Admission {
  readonly #taken = new Map<string, Set<number>>();
  /** Jobs that held places and were put off by their rate limit. */
  readonly #postponedHolders: ClaimedJob[] = [];

  constructor(
    private readonly options: GateOptions,
    private readonly arrivals: readonly Arrival[],
    private readonly room: number,
  ) {}

  async decide(): Promise<ClaimedJob[]> {
    const { lines } = this.options;
    await this.#readTaken();
    let undecided = this.arrivals;
    const admitted: ClaimedJob[] = [];
    const blockedBy = new Set<string>();
    for (let tries = 0; undecided.length > 0; tries += 1) {
      const decisions = await this.#decideAll(undecided, this.room - admitted.length, tries >= MAX_TRIES);
      for (const decision of decisions.values()) if (decision.kind === 'blocked') blockedBy.add(decision.by);
      await lines.note(blockedBy);
      const lost = await this.#write(decisions);
      for (const [arrival, decision] of decisions)
        if (decision.kind === 'admitted' && !lost.has(arrival))
          admitted.push(asAdmitted(arrival, decision.slots));
      undecided = [...lost];
    }
    // A place may have become free between the look and the write, and its holder found no job in line.
    if (blockedBy.size > 0) await lines.unblock(blockedBy);
    if (this.#postponedHolders.length > 0) await lines.release(this.#postponedHolders);
    return admitted;
  }

  async #readTaken(): Promise<void> {
    const keys = this.arrivals.flatMap(({ limits, slots }) => missing(limits, slots).map(({ key }) => key));
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
      const decision = this.#placesFor(arrival, isLastTry);
      const hasRoom = decision.kind !== 'admitted' || left > 0;
      decisions.set(arrival, hasRoom ? decision : { kind: 'returned' });
      if (decision.kind === 'admitted') left -= 1;
    }
    await this.#askRates(decisions);
    return decisions;
  }

  /** Chooses free places for a job. */
  #placesFor({ limits, slots }: Arrival, isLastTry: boolean): Decision {
    const held = [...slots];
    for (const { key, limit } of missing(limits, slots)) {
      const number = isLastTry ? undefined : this.#freeNumber(key, limit);
      if (number === undefined) return { kind: 'blocked', by: key, limits, slots: isLastTry ? slots : held };
      this.#take({ key, number });
      held.push({ key, number });
    }
    return { kind: 'admitted', slots: held };
  }

  /** A random free place, so that workers that look at the same moment seldom choose the same. */
  #freeNumber(key: string, limit: number): number | undefined {
    const taken = this.#taken.get(key) ?? new Set();
    const free = Array.from({ length: limit }, (_, number) => number).filter((number) => !taken.has(number));
    return free[Math.floor(Math.random() * free.length)];
  }

  #take({ key, number }: HeldSlot): void {
    const taken = this.#taken.get(key);
    if (taken) taken.add(number);
    else this.#taken.set(key, new Set([number]));
  }

  /** Asks the rate limits of the jobs that have all their places, one statement per limit. */
  async #askRates(decisions: Map<Arrival, Decision>): Promise<void> {
    const byKey = new Map<string, { readonly rule: RateRule; readonly arrivals: Arrival[] }>();
    for (const [arrival, { kind }] of decisions) {
      const { rate } = arrival;
      if (!rate || kind !== 'admitted') continue;
      const same = byKey.get(rate.key);
      if (same) same.arrivals.push(arrival);
      else byKey.set(rate.key, { rule: rate.rule, arrivals: [arrival] });
    }
    const { limits } = this.options.collections;
    await Promise.all(
      [...byKey].map(async ([key, { rule, arrivals }]) => {
        const expected = arrivals.filter(({ job }) => job.hasMoment);
        const others = arrivals.filter(({ job }) => !job.hasMoment);
        const request = { expected: expected.length, others: others.length };
        const { granted, momentOf } = await reserve(limits, key, rule, request);
        [...expected, ...others].slice(granted).forEach((arrival, index) => {
          decisions.set(arrival, { kind: 'postponed', until: momentOf(index) });
          if (arrival.slots.length > 0) this.#postponedHolders.push(arrival.job);
        });
      }),
    );
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

function missing(limits: readonly JobLimit[], slots: readonly HeldSlot[]): readonly JobLimit[] {
  return limits.filter(({ key }) => !slots.some((slot) => slot.key === key));
}

/** A worker that was frozen for longer than its lease may no longer decide: its notes may have been removed. */
const isLive = { $expr: { $gt: ['$lease.expires', '$$NOW'] } };

function leaseOf({ id, token }: ClaimedJob) {
  return { _id: id, status: 'processing' as const, 'lease.token': token, ...isLive };
}

/** Whether the database must learn of a decision. It knows a job that came with all its places. */
function isChange({ slots }: Arrival, decision: Decision): boolean {
  return decision.kind !== 'admitted' || decision.slots.length > slots.length;
}

function toUpdate({ limits }: Arrival, decision: Decision) {
  if (decision.kind !== 'admitted') return turnAway(decision);
  return { $set: { limits: [...limits], slots: [...decision.slots] } satisfies Partial<JobDocument> };
}

function asAdmitted({ job, limits }: Arrival, slots: readonly HeldSlot[]): ClaimedJob {
  return slots.length === 0 ? job : { ...job, limits, slots };
}
