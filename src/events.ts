import type { Ending } from './job/ending.js';
import { toFailure } from './job/failure.js';
import type { SettledStatus } from './job/job.js';
import type { QueuedJob } from './job/queued-job.js';
import { catchingRejections } from './job-rejections.js';
import type { Logger } from './log.js';

/** A job, as events name it. */
interface JobOfEvent {
  readonly jobId: string;
  readonly jobName: string;
}

/** A job was added. */
export interface JobAdded extends JobOfEvent {
  readonly queue: string;
  /** The id of the scheduler item that made it; absent when none did. */
  readonly scheduler?: string;
}

/** Jobs were queued: some can run, others will be due. */
export interface JobsBecameReady {
  readonly jobs: readonly QueuedJob[];
}

/** A worker calls the function of a job. */
export interface AttemptStarted extends JobOfEvent {
  readonly queue: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** The name of the drain, as it stands in leases and in the log. */
  readonly worker: string;
}

/** An attempt ended, and that is written down. */
export interface AttemptEnded extends JobOfEvent {
  readonly queue: string;
  readonly attempt: number;
  /** As in `AttemptStarted`; absent for a job of `pullNextJob`. */
  readonly worker?: string;
  /** How it is counted in the summary of `drain`. */
  readonly outcome: Ending;
  /** How long its function ran, in milliseconds; absent when it was not called, or that is not known. */
  readonly durationMs?: number | undefined;
  /** The message of the error that it failed with. */
  readonly error?: string;
}

/** A job was settled: it does not run again. */
export interface JobSettled {
  readonly jobId: string;
  /** Absent when it was cancelled before it ran. */
  readonly jobName?: string;
  readonly status: SettledStatus;
}

/** A worker lost the lease of a job that it was running: another one may run the job. */
export type LeaseLost = AttemptStarted;

/** A scheduler item made the job of an occurrence. */
export interface ScheduleFired extends JobOfEvent {
  /** The id of the item. */
  readonly scheduler: string;
  /** The moment of the occurrence. */
  readonly at: Date;
}

/** The events of a processor by their names. Each is told after the write that makes it true. */
export interface ProcessorEvents {
  jobAdded: JobAdded;
  jobsReady: JobsBecameReady;
  attemptStarted: AttemptStarted;
  attemptEnded: AttemptEnded;
  jobSettled: JobSettled;
  leaseLost: LeaseLost;
  scheduleFired: ScheduleFired;
}

/** The name of an event. */
export type EventName = keyof ProcessorEvents;

/** What is called with an event. What it returns is not waited for. */
export type EventListener<Name extends EventName> = (event: ProcessorEvents[Name]) => unknown;

/** Those of one event. The list is replaced as a whole: so telling copies nothing, and goes by who listened when it began. */
class Listeners<Event> {
  all: readonly ((event: Event) => void)[] = [];

  /** Returns what takes it away. */
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
  'attemptStarted',
  'attemptEnded',
  'jobSettled',
  'leaseLost',
  'scheduleFired',
] as const satisfies readonly EventName[]);

/** Tells listeners what happens. Nothing that a listener does reaches whoever tells. */
export class Events {
  readonly #listeners: { readonly [Name in EventName]: Listeners<ProcessorEvents[Name]> } = {
    jobAdded: new Listeners(),
    jobsReady: new Listeners(),
    attemptStarted: new Listeners(),
    attemptEnded: new Listeners(),
    jobSettled: new Listeners(),
    leaseLost: new Listeners(),
    scheduleFired: new Listeners(),
  };

  constructor(private readonly log: Logger) {}

  /** Calls the listener at each event of this name, and returns what ends that. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    return this.#listeners[name].add(this.#harmless(name, listener));
  }

  /** Whether anybody listens: an event that nobody hears need not be made. */
  isHeard(name: EventName): boolean {
    return this.#listeners[name].all.length > 0;
  }

  tell<Name extends EventName>(name: Name, event: ProcessorEvents[Name]): void {
    for (const listener of this.#listeners[name].all) listener(event);
  }

  /** A rejection that it leaves is its own, not that of the job in whose course it was called. */
  #harmless<Name extends EventName>(name: Name, listener: EventListener<Name>) {
    let hasFailed = false;
    const onFailure = (error: unknown) => {
      // Once: a listener that always fails would fill the log.
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
