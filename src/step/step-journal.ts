import { BSON } from 'mongodb';
import type { Failure } from '../job/failure.js';
import type {
  CursorWrite,
  StepEntry,
  StepKind,
  StepState,
  StepWait,
  StepWrite,
  StepWrites,
  StoredSignal,
} from '../job/step-log.js';
import { isProgress } from '../job/step-statements.js';
import type { LoadedSteps, StepHost } from './step-host.js';

/** Maximum number of entries in the job's document. If they are more, or larger, older ones move to a page. */
const MAX_ENTRIES = 100;
const MAX_BYTES = 64 * 1024;

/** MongoDB's limit of a document, and the part reserved for signals, log lines and other fields beside input and steps. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const RESERVED_BYTES = 2 * 1024 * 1024;

/** Facts known of a step. */
export interface KnownStep {
  readonly kind: StepKind;
  readonly state: StepState;
  readonly tries?: number;
  readonly result?: unknown;
  readonly failure?: Failure;
  readonly cursor?: unknown;
  readonly calls?: number;
}

/** The steps of a job, as this attempt knows them, and the changes that are not stored yet. */
export class StepJournal {
  readonly #known = new Map<string, KnownStep>();
  /** Sizes of the entries in the job's document. */
  readonly #sizes = new Map<string, number>();
  readonly #signals: StoredSignal[];
  readonly #waits: ReadonlyMap<string, StepWait>;
  readonly #clock: { readonly now: number; readonly at: number };
  /** Ends of waits, and cursors. They are stored along with the next write. */
  readonly #late = new Map<string, CursorWrite>();
  /** Signals to be dropped with the next write. */
  #drops: readonly Pick<StoredSignal, 'key' | 'name'>[] = [];
  #paging: Promise<boolean> | undefined;
  /** Sizes of the steps that are being stored. */
  readonly #expected = new Map<StepWrite, number>();
  readonly #waitingForRoom: (() => void)[] = [];
  /** Whether this attempt has ended a step or a wait, or advanced an iteration. */
  hasProgressed = false;

  constructor(
    private readonly host: StepHost,
    { log, paged, now }: LoadedSteps,
  ) {
    const { entries = [], signals = [] } = log;
    for (const entry of [...paged, ...entries]) this.#known.set(entry.name, entry);
    for (const entry of entries) this.#sizes.set(entry.name, BSON.calculateObjectSize(entry));
    this.#signals = [...signals];
    this.#waits = new Map((host.attempt.job.steps?.waits ?? []).map((wait) => [wait.name, wait]));
    this.#clock = { now: now.getTime(), at: performance.now() };
  }

  /** Returns a step by its name, or by the first former name that is known. */
  known(names: readonly string[]): KnownStep | undefined {
    return this.#known.get(names.find((name) => this.#known.has(name)) ?? '');
  }

  /** Returns the wait that suspended the job, by one of its names. */
  waitOf(names: readonly string[]): StepWait | undefined {
    return this.#waits.get(names.find((name) => this.#waits.has(name)) ?? '');
  }

  /** Returns how long ago a moment was, by the database's clock, in milliseconds. Negative for a future moment. */
  since(moment: Date): number {
    const { now, at } = this.#clock;
    return now + (performance.now() - at) - moment.getTime();
  }

  /** Returns whether a moment has come, by the database's clock. */
  isOver(moment: Date): boolean {
    return this.since(moment) >= 0;
  }

  /** Returns the oldest signal of this name that no step has taken. */
  signalNamed(name: string): StoredSignal | undefined {
    return this.#signals.find((signal) => signal.name === name);
  }

  /** Drops a signal that its step cannot take. */
  drop({ key, name }: StoredSignal): void {
    this.#drops = [...this.#drops, { key, name }];
    this.#forgetSignal(key);
  }

  /** Stores a step, together with the steps that are to be stored with the next write. Returns the step. */
  async store(write: StepWrite): Promise<StepWrite> {
    await this.makeRoom(write);
    try {
      const writes = this.writesWith(write);
      await this.host.store.keep(this.host.attempt.job, writes);
      this.stored(writes, write);
      return write;
    } finally {
      this.#expected.delete(write);
      if (this.#expected.size === 0) for (const goOn of this.#waitingForRoom.splice(0)) goOn();
    }
  }

  /** Returns a step, together with the steps that are to be stored with the next write. The caller writes them. */
  writesWith(write?: StepWrite): StepWrites {
    const late = [...this.#late.values()].filter(({ name }) => name !== write?.name);
    const steps = [...late, ...(write ? [write] : [])];
    const drops = this.#drops.length > 0 && { drops: this.#drops };
    return { steps, version: this.host.attempt.factory.version, ...drops };
  }

  /** Notes that these steps are stored, including one that has ended. */
  stored({ steps, drops = [] }: Pick<StepWrites, 'steps' | 'drops'>, write?: StepWrite): void {
    this.#drops = this.#drops.filter((drop) => !drops.includes(drop));
    for (const each of steps) if (this.#late.get(each.name) === each) this.#late.delete(each.name);
    if (write) {
      this.#note(write);
      this.#late.delete(write.name);
    }
  }

  /** Notes a step, to be stored along with the next write. */
  later(write: StepWrite): void {
    this.#note(write);
    this.#late.set(write.name, { ...write, version: this.host.attempt.factory.version });
  }

  /** The steps that are to be stored along with a report. */
  get late(): readonly CursorWrite[] {
    return [...this.#late.values()];
  }

  #note(write: StepWrite): void {
    const { name, takes, agoMs: _, isUndoable: __, ...known } = write;
    if (isProgress(write)) this.hasProgressed = true;
    this.#known.set(name, known);
    this.#sizes.set(name, BSON.calculateObjectSize(known));
    if (takes !== undefined) this.#forgetSignal(takes);
  }

  #forgetSignal(taken: string): void {
    const index = this.#signals.findIndex(({ key }) => key === taken);
    if (index >= 0) this.#signals.splice(index, 1);
  }

  /** Moves stored entries to a page once the document holds much. At most one move is under way. */
  async makeRoom(expected?: StepWrite): Promise<void> {
    while (this.#isFull) {
      if (this.#expected.size > 0) await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
      else {
        this.#paging ??= this.#moveToPage();
        if (!(await this.#paging)) break;
      }
    }
    if (expected) this.#expected.set(expected, BSON.calculateObjectSize(expected));
  }

  get #isFull(): boolean {
    return this.#sizes.size + this.#expected.size >= MAX_ENTRIES || this.#bytes > MAX_BYTES;
  }

  get #bytes(): number {
    return [...this.#sizes.values(), ...this.#expected.values()].reduce((sum, size) => sum + size, 0);
  }

  /** Maximum size of the job's output in bytes, given its input and the steps in its document. */
  get roomForOutput(): number {
    return (
      MAX_DOCUMENT_BYTES - RESERVED_BYTES - BSON.calculateObjectSize(this.host.attempt.job) - this.#bytes
    );
  }

  /** Returns whether there was anything to move. */
  async #moveToPage(): Promise<boolean> {
    const { store, attempt } = this.host;
    const { job, factory } = attempt;
    try {
      const { log } = await store.load(job);
      const old = (log.entries ?? []).filter(isForPage);
      if (old.length === 0) return false;
      const names = old.map(({ name }) => name);
      const page = { id: await store.addPage(job, old), names };
      await store.keep(job, { steps: [], version: factory.version, page });
      for (const name of names) this.#sizes.delete(name);
      return true;
    } finally {
      this.#paging = undefined;
    }
  }
}

/**
 * Returns whether the step may move to a page. It must never change again. A failed step changes, because retrying the job
 * removes it.
 */
function isForPage({ state, kind }: StepEntry): boolean {
  return kind !== 'compensation' && (state === 'completed' || state === 'timedOut');
}
