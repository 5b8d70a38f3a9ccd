import { forgetPositions } from '../bson/path.js';
import { compileFilter } from '../query/evaluation.js';
import { ALL_FIELDS, fieldsOfFilter } from '../query/fields-read.js';
import { decodeStored } from '../storage/stored.js';
import type { View } from '../storage/view.js';
import type { Counters } from './counters.js';
import type { Plan } from './plan.js';
import type { QuerySpec } from './query-spec.js';
import { recordsOf } from './records.js';

/** The number of results after which a plan has been tried long enough. A plan that has found all results ends earlier. */
const MAX_RESULTS = 101;

/** The number of steps before plans are compared. It is this number, or this share of the documents if that is more. */
const MIN_WORKS = 10_000;
const MAX_SHARE = 0.3;

/** The steps of the first round. Each round doubles them, so that a bad plan is not tried much longer than a good one. */
const FIRST_ROUND = 64;

/** Returns the plan that MongoDB's trial finds best, and the others. */
export function mostProductive<Candidate extends Plan>(
  view: View,
  spec: QuerySpec,
  plans: readonly Candidate[],
): { readonly plan: Candidate; readonly rejected: readonly Candidate[] } {
  const [first, ...others] = plans;
  if (first === undefined) throw new Error('no plan to choose from');
  if (others.length === 0) return { plan: first, rejected: [] };
  const trials = plans.map((plan) => new Trial(view, plan, spec));
  const works = runInTurns(trials, Math.max(MIN_WORKS, MAX_SHARE * view.count));
  const best = trials.reduce((one, other) => (other.score(works) > one.score(works) + TIE ? other : one));
  return { plan: best.plan, rejected: plans.filter((plan) => plan !== best.plan) };
}

/** Smaller differences between scores are ties, which the first plan wins. */
const TIE = 1e-10;

/** Lets all plans take equally many steps, until one plan has enough results. Returns the number of steps per plan. */
function runInTurns(trials: readonly Trial<Plan>[], maxWorks: number): number {
  for (let works = FIRST_ROUND; ; works = Math.min(works * 2, maxWorks)) {
    for (const trial of trials) trial.run(works);
    const ended = Math.min(...trials.map((trial) => trial.doneAfter));
    if (ended <= works) return ended;
    if (works === maxWorks) return works;
  }
}

/** A plan under trial. Each step reads a key, or a document if the plan uses no index. */
class Trial<Candidate extends Plan> {
  readonly plan: Candidate;
  /** The number of steps after which the plan has enough results, or has found all. */
  doneAfter = Number.POSITIVE_INFINITY;
  readonly #counters: Counters = { keys: 0, docs: 0 };
  readonly #matches: Iterator<boolean>;
  readonly #wanted: number;
  readonly #skip: number;
  readonly #limit: number;
  /** The number of steps after which each result was found. */
  readonly #results: number[] = [];
  #found = 0;
  #endedAfter = Number.POSITIVE_INFINITY;

  constructor(view: View, plan: Candidate, spec: QuerySpec) {
    this.plan = plan;
    this.#matches = tested(view, plan, spec, this.#counters);
    this.#wanted = Math.min(spec.limit || MAX_RESULTS, MAX_RESULTS);
    this.#skip = spec.skip;
    this.#limit = spec.limit;
  }

  /** Continues until the plan has taken `works` steps in all, or is done. */
  run(works: number): void {
    while (this.doneAfter === Number.POSITIVE_INFINITY && this.#works < works) {
      const { value, done } = this.#matches.next();
      if (done) this.#end();
      else if (value) this.#find();
    }
  }

  /**
   * Returns the plan's score. More results for the same work score higher. All results score highest. A plan that needs no
   * sort wins a tie.
   */
  score(works: number): number {
    const results = this.#results.filter((after) => after <= works).length;
    const tieBreak = this.plan.sorted ? Math.min(1 / (10 * works), 1e-4) : 0;
    return results / works + tieBreak + (this.#endedAfter <= works ? 1 : 0);
  }

  get #works(): number {
    return this.plan.kind === 'collection' ? this.#counters.docs : this.#counters.keys;
  }

  #find(): void {
    this.#found += 1;
    if (!this.plan.sorted || this.#found <= this.#skip) return;
    this.#results.push(this.#works);
    if (this.#results.length === this.#wanted) this.doneAfter = this.#works;
  }

  /** Counts the end as a step. A sort gives its results only after the end, one per further step. */
  #end(): void {
    let works = this.#works + 1;
    if (!this.plan.sorted) {
      const sorted = this.#limit > 0 ? Math.min(this.#found, this.#limit + this.#skip) : this.#found;
      for (let i = this.#skip; i < Math.min(sorted, this.#skip + this.#wanted); i++)
        this.#results.push(works + i);
      works += sorted;
    }
    this.#endedAfter = works;
    this.doneAfter = Math.min(works, this.#results[this.#wanted - 1] ?? works);
  }
}

/** Yields, for each document that a plan reads, whether it is a result. */
function* tested(view: View, plan: Plan, spec: QuerySpec, counters: Counters): Generator<boolean> {
  const test = compileFilter(spec.filter, spec.environment);
  const read = fieldsOfFilter(spec.filter);
  const names = read === ALL_FIELDS ? undefined : new Set(read);
  for (const id of recordsOf(view, plan, counters)) {
    const stored = id === undefined ? undefined : view.get(id);
    if (stored === undefined) {
      yield false;
      continue;
    }
    counters.docs += 1;
    forgetPositions();
    yield test(decodeStored(stored, names));
  }
}
