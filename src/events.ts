import type { Ending } from './job/ending.js';
import { toFailure } from './job/failure.js';
import type { SettledStatus } from './job/job.js';
import type { QueuedJob } from './job/queued-job.js';
import type { EndedStep } from './job/step-call.js';
import { catchingRejections } from './job-rejections.js';
import type { Logger } from './log.js';

/** The job that an event is about. */
interface JobOfEvent {
  readonly jobId: string;
  readonly jobName: string;
}

/** A job was added. */
export interface JobAdded extends JobOfEvent {
  readonly queue: string;
  /** Id of the scheduler item that made the job. Absent for other jobs. */
  readonly scheduler?: string;
}

/** Jobs were queued, to run now or later. */
export interface JobsBecameReady {
  readonly jobs: readonly QueuedJob[];
}

/** A worker claimed jobs. */
export interface JobsClaimed {
  readonly count: number;
  /** Name of the drain, as in `AttemptStarted`. */
  readonly worker: string;
}

/** A worker is about to call a job's function. */
export interface AttemptStarted extends JobOfEvent {
  readonly queue: string;
  /** Number of the attempt, from 1. */
  readonly attempt: number;
  /** Name of the drain, as in leases and in the log. */
  readonly worker: string;
  /** Moment from which on the job was both due and queued, by the database's clock. */
  readonly dueSince: Date;
}

/**
 * A step of a job has ended. The attempt that notices the end emits the event. If a worker dies right after a wait, a later
 * attempt emits it again.
 */
export interface StepEnded extends JobOfEvent, EndedStep {}

/** An attempt has ended, and its ending is recorded in the database. */
export interface AttemptEnded extends JobOfEvent {
  readonly queue: string;
  readonly attempt: number;
  /** Name of the drain, as in `AttemptStarted`. Absent for a job of `pullNextJob`. */
  readonly worker?: string;
  /** How the attempt ended, as `drain` counts it in its summary. `recovered` if recovery ended it after its lease expired. */
  readonly outcome: Ending | 'recovered';
  /** How long the function ran, in milliseconds. Absent if it was not called, or if the time is unknown. */
  readonly durationMs?: number | undefined;
  /**
   * How long the job had been due when its function was called, in milliseconds, by this process's clock. Negative if that
   * clock is slow. Absent whenever `durationMs` is.
   */
  readonly waitedMs?: number | undefined;
  /** Message of the error that the attempt failed with. */
  readonly error?: string;
  /** Key of the group of failures that the error belongs to. */
  readonly failureKey?: string;
}

/** A job was settled, and will not run again unless a person retries it. */
export interface JobSettled {
  readonly jobId: string;
  /** Absent when the job was cancelled before it ran. */
  readonly jobName?: string;
  readonly status: SettledStatus;
}

/**
 * A worker lost the lease of a running job, so another worker may run the job. The process that recovers the job emits this
 * event. The worker, if it is still alive, emits it too.
 */
export type LeaseLost = Omit<AttemptStarted, 'dueSince'>;

/** A scheduler item made the job of an occurrence. */
export interface ScheduleFired extends JobOfEvent {
  /** Id of the item. */
  readonly scheduler: string;
  /** Moment of the occurrence. */
  readonly at: Date;
}

/** A limit made a job wait. Emitted when the job gets its place. Under a rate limit, it is emitted when the job is put off. */
export interface JobWaited extends JobOfEvent {
  /** Name of the limit, such as `import`. Begins with `rate `, `order `, `turn ` or `unique ` for limits of these kinds. */
  readonly limit: string;
  /** Name of the limit. A key, if it has one, follows after `=`, such as `import=acme`. */
  readonly limitKey: string;
  /** Duration in milliseconds, by the database's clock. */
  readonly waitedMs: number;
}

/** A circuit breaker opened, or it stays open because the job that was tried failed too. */
export interface CircuitOpened {
  readonly jobName: string;
  /** How long no job of this kind starts, in milliseconds. Afterwards one job is tried. */
  readonly pauseMs: number;
}

/** A circuit breaker closed, because the job that was tried ended well, or because a person closed it. */
export interface CircuitClosed {
  readonly jobName: string;
}

/** Event: all jobs of a batch have ended. Emitted again after a person retried some. */
export interface BatchCompleted {
  /** Id of the batch. */
  readonly batch: string;
  /** Whether some of its jobs failed or were cancelled. */
  readonly hasFailed: boolean;
}

/** A workflow has ended, or nothing in it can run until a person retries a job. */
export interface WorkflowEnded {
  /** Id of the workflow. */
  readonly workflow: string;
}

/** The events of a processor by name. Each is emitted after the write that makes it true. */
export interface ProcessorEvents {
  jobAdded: JobAdded;
  jobsReady: JobsBecameReady;
  jobsClaimed: JobsClaimed;
  attemptStarted: AttemptStarted;
  stepEnded: StepEnded;
  attemptEnded: AttemptEnded;
  jobSettled: JobSettled;
  jobWaited: JobWaited;
  leaseLost: LeaseLost;
  scheduleFired: ScheduleFired;
  circuitOpened: CircuitOpened;
  circuitClosed: CircuitClosed;
  batchCompleted: BatchCompleted;
  workflowCompleted: WorkflowEnded;
  workflowFailed: WorkflowEnded;
}

/** The name of an event. */
export type EventName = keyof ProcessorEvents;

/** Function called with an event. Its result is not awaited. */
export type EventListener<Name extends EventName> = (event: ProcessorEvents[Name]) => unknown;

/**
 * The listeners of one event. A change makes a new list. So a call needs no copy, and uses the listeners registered when the
 * event was emitted.
 */
class Listeners<Event> {
  all: readonly ((event: Event) => void)[] = [];

  /** Returns a function that removes the listener. */
  add(listener: (event: Event) => void): () => void {
    this.all = [...this.all, listener];
    return () => {
      this.all = this.all.filter((other) => other !== listener);
    };
  }
}

/** The names of all events. */
export const eventNames = Object.freeze([
  'jobAdded',
  'jobsReady',
  'jobsClaimed',
  'attemptStarted',
  'stepEnded',
  'attemptEnded',
  'jobSettled',
  'jobWaited',
  'leaseLost',
  'scheduleFired',
  'circuitOpened',
  'circuitClosed',
  'batchCompleted',
  'workflowCompleted',
  'workflowFailed',
] as const satisfies readonly EventName[]);

/** Emits events to listeners. A failing listener never affects the code that emits the event. */
export class Events {
  readonly #listeners: { readonly [Name in EventName]: Listeners<ProcessorEvents[Name]> } = {
    jobAdded: new Listeners(),
    jobsReady: new Listeners(),
    jobsClaimed: new Listeners(),
    attemptStarted: new Listeners(),
    stepEnded: new Listeners(),
    attemptEnded: new Listeners(),
    jobSettled: new Listeners(),
    jobWaited: new Listeners(),
    leaseLost: new Listeners(),
    scheduleFired: new Listeners(),
    circuitOpened: new Listeners(),
    circuitClosed: new Listeners(),
    batchCompleted: new Listeners(),
    workflowCompleted: new Listeners(),
    workflowFailed: new Listeners(),
  };

  constructor(private readonly log: Logger) {}

  /** Calls the listener at each event of this name. Returns a function that removes the listener. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    return this.#listeners[name].add(this.#harmless(name, listener));
  }

  /**
   * Does what `on` does, at much less cost per event. The listener must be one of this package that neither throws nor leaves a
   * promise behind.
   */
  onSafely<Name extends EventName>(name: Name, listener: (event: ProcessorEvents[Name]) => void): () => void {
    return this.#listeners[name].add(listener);
  }

  /** Returns whether the event has listeners. If not, nobody needs to create it. */
  isHeard(name: EventName): boolean {
    return this.#listeners[name].all.length > 0;
  }

  tell<Name extends EventName>(name: Name, event: ProcessorEvents[Name]): void {
    for (const listener of this.#listeners[name].all) listener(event);
  }

  /**
   * Wraps a listener so that its rejections are logged as its own. Otherwise they would be attributed to the job that runs
   * then.
   */
  #harmless<Name extends EventName>(name: Name, listener: EventListener<Name>) {
    let hasFailed = false;
    const onFailure = (error: unknown) => {
      // Only once, because a listener that always fails would fill the log.
      if (hasFailed) return;
      hasFailed = true;
      const fields = { event: name, error: toFailure(error).message };
      this.log.error('A listener failed; further failures of it are not logged', fields);
    };
    return (event: ProcessorEvents[Name]): void => {
      try {
        const returned = catchingRejections(onFailure, () => listener(event));
        if (isPromise(returned)) returned.then(undefined, onFailure);
      } catch (error) {
        onFailure(error);
      }
    };
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
