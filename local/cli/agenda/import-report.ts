import type { DeclaredScheduler } from '../../../src/index.js';

/** The counts for the documents of one name. */
export interface ImportedKind {
  /** The name in Agenda. */
  readonly name: string;
  /** The name of the jobs here. */
  readonly jobName: string;
  /** Jobs that are added, and how many of them are due. */
  newJobs: number;
  dueJobs: number;
  newSchedules: number;
  /** Jobs and scheduler items that a former run has added. */
  there: number;
  /** One-time jobs that have ended in Agenda. */
  completed: number;
  failed: number;
  refused: number;
}

/** A scheduler item that is added for a recurring job of Agenda. */
export interface ImportedSchedule {
  readonly options: DeclaredScheduler;
  /** The first occurrence, if the item is active. */
  readonly first: Date | null;
}

/** A reason why documents of one name are not taken over. */
export interface Refusal {
  readonly name: string;
  readonly reason: string;
  count: number;
  /** The first ids in Agenda's collection. */
  readonly ids: string[];
}

/** Maximum number of ids per reason. A person looks at a few examples. */
const MAX_IDS = 5;

/** Maximum number of reasons, so that a report on millions of documents stays small. */
const MAX_REASONS = 1000;

const OTHER_REASON = 'another reason: solve those that are told first';

/** Counts what a run found in Agenda's collection, and what became of it. */
export class ImportReport {
  readonly #kinds = new Map<string, ImportedKind>();
  readonly #refusals = new Map<string, Refusal>();
  readonly schedules: ImportedSchedule[] = [];
  /** The number of documents. */
  read = 0;

  get kinds(): readonly ImportedKind[] {
    return [...this.#kinds.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get refusals(): readonly Refusal[] {
    return [...this.#refusals.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  kind(name: string, jobName: string): ImportedKind {
    const known = this.#kinds.get(name);
    if (known) return known;
    const numbers = {
      newJobs: 0,
      dueJobs: 0,
      newSchedules: 0,
      there: 0,
      completed: 0,
      failed: 0,
      refused: 0,
    };
    const kind = { name, jobName, ...numbers };
    this.#kinds.set(name, kind);
    return kind;
  }

  refuse({ name, jobName }: Pick<ImportedKind, 'name' | 'jobName'>, id: string, reason: string): void {
    this.kind(name, jobName).refused += 1;
    const refusal = this.#refusal(name, reason);
    refusal.count += 1;
    if (refusal.ids.length < MAX_IDS) refusal.ids.push(id);
  }

  #refusal(name: string, reason: string): Refusal {
    const key = JSON.stringify([name, reason]);
    const known = this.#refusals.get(key);
    if (known) return known;
    if (this.#refusals.size >= MAX_REASONS && reason !== OTHER_REASON)
      return this.#refusal(name, OTHER_REASON);
    const refusal = { name, reason, count: 0, ids: [] };
    this.#refusals.set(key, refusal);
    return refusal;
  }
}
