import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Db, Filter } from 'mongodb';
import * as z from 'zod';
import type { WrongKeyCount } from './access/count-wrong-key.js';
import { callerRoleSchema, type Role } from './access/role.js';
import { type Duration, durationSchema, timerDurationSchema } from './duration.js';
import { ConflictError, IndexMissingError } from './errors.js';
import { type EventListener, type EventName, Events, eventNames } from './events.js';
import type { IdempotentRequest, OnceOutcome } from './idempotency/do-once.js';
import { addJob } from './job/add-job.js';
import { addJobs, type JobToAdd } from './job/add-jobs.js';
import { cancelJob } from './job/cancel-job.js';
import { claimJobAlone, claimJobs } from './job/claim-jobs.js';
import { countDueJobs } from './job/count-due-jobs.js';
import { countJobs, type JobCounts } from './job/count-jobs.js';
import type { InputArguments, JobFactory } from './job/define-job.js';
import { findJob, requireJob } from './job/find-job.js';
import { findJobLog, type JobLog } from './job/find-job-log.js';
import { findDueSoon } from './job/find-next-due.js';
import { findOldestWaiting, type WaitingJob } from './job/find-oldest-waiting.js';
import { formatJobError, type JobErrorFormatter } from './job/format-job-error.js';
import type { NewJob } from './job/insert-job.js';
import {
  type ClaimedJob,
  type Job,
  type JobDocument,
  type JobStatus,
  type SettledStatus,
  settledStatuses,
} from './job/job.js';
import {
  type AddJobOptions,
  type AddJobsOptions,
  addJobDataSchema,
  type JobChanges,
  jobChangesSchema,
  queueSchema,
} from './job/job-options.js';
import type { JobFactoryInfo, JobFactoryPage } from './job/list-job-factories.js';
import { type JobPage, type JobsFilter, listJobs } from './job/list-jobs.js';
import { type Outcome, queuedAgain, settlementOf } from './job/outcome.js';
import { type QueuedJob, someJob } from './job/queued-job.js';
import type { ClaimFilter } from './job/queued-jobs.js';
import { type Recovery, recoverJobs } from './job/recover-jobs.js';
import { JobRegistry } from './job/registry.js';
import { removeJob } from './job/remove-job.js';
import { type RemovedCounts, removeJobs } from './job/remove-jobs.js';
import { retryJob } from './job/retry-job.js';
import { settleJobs } from './job/settle-jobs.js';
import { toOutput } from './job/storable.js';
import { updateQueuedJob } from './job/update-queued-job.js';
import { type Kick, MAX_AHEAD_MS, ReadySignal } from './jobs-ready.js';
import { jsonLogger, type Logger } from './log.js';
import { atLevel } from './log-level.js';
import { onIndexMissing } from './mongo/by-index.js';
import { collectionPrefixSchema, DEFAULT_COLLECTION_PREFIX } from './mongo/collection-prefix.js';
import { type Collections, openCollections } from './mongo/collections.js';
import { Connection } from './mongo/connection.js';
import { type AnyDb, driverProblem, isDb } from './mongo/driver-of.js';
import { ensureIndexes } from './mongo/ensure-indexes.js';
import { findLeftBehind, leftBehindText } from './mongo/find-left-behind.js';
import type { IndexOptions, IndexProgress } from './mongo/indexes.js';
import { inOwnBson } from './mongo/own-bson.js';
import { requireOurs } from './mongo/require-ours.js';
import { retryWhileUnreachable } from './mongo/retry-while-unreachable.js';
import type { PageFilter } from './page-filter.js';
import { DEFAULT_NAME } from './processor-name.js';
import { findQueues } from './queue/find-queues.js';
import { OpenQueues } from './queue/open-queues.js';
import { pauseQueue } from './queue/pause-queue.js';
import type { Queue, QueuePage } from './queue/queue-document.js';
import { resumeQueue } from './queue/resume-queue.js';
import type { DeclaredScheduler } from './scheduler/declaration.js';
import type { SchedulerItem } from './scheduler/item.js';
import type { SchedulerPage, SchedulersFilter } from './scheduler/list-items.js';
import type { MadeJob } from './scheduler/make-planned.js';
import type { Preview } from './scheduler/preview.js';
import type { SchedulerChanges, SchedulerOptions } from './scheduler/scheduler-options.js';
import type { SchedulerSync } from './scheduler/sync-items.js';
import type { StatisticsOptions, StatisticsPoint } from './statistics/find-statistics.js';
import { Tally } from './statistics/tally.js';
import { validateNow } from './validate.js';
import { drain } from './worker/drain.js';
import { failedOutcome } from './worker/failed-outcome.js';
import { countLiveWorkers, listLiveWorkers, type WorkerPage } from './worker/find-live-workers.js';
import { logAttempts } from './worker/log-attempts.js';
import { RecentDurations } from './worker/recent-durations.js';
import { withStopSignal } from './worker/stop-signal.js';
import type { DrainSummary } from './worker/summary.js';
import { tellEnded } from './worker/tell-ended.js';
import { unlessAborted } from './worker/unless-aborted.js';
import { type Worker, workerName } from './worker/worker.js';
import type { LiveWorker } from './worker/worker-document.js';

/** Long enough for a heartbeat to fail twice, short enough that a crash is noticed within the minute. */
const DEFAULT_LEASE_MS = 30_000;

/**
 * Recovery is what an invocation begins with, maybe in a container that was frozen while its connections died: the
 * driver's one retry may come to the next dead one.
 */
const RECOVERY_RETRY_MS = 1_000;

/** It takes some milliseconds, and of thousands of jobs a second; a connection that died must not keep work waiting. */
const RECOVERY_TRY_MS = 5_000;

/** Loaded when it is first asked for: a worker starts without it, and without what reads cron expressions. */
const scheduling = () => import('./scheduler/operations.js');

export interface RemoteProcessorOptions {
  /** A Db of the mongodb driver, 6 or 7, such as Mongoose's `connection.db`. Of a replica set. */
  readonly db: AnyDb;
  /**
   * What the names of our collections in it begin with: processors of different prefixes have nothing in common. Default
   * `'remoteProcessor.'`; `''` for the names that the collections had before there was a prefix. With another one than the
   * default, every method refuses collections that hold documents of somebody else (ForeignDocumentsError).
   */
  readonly collectionPrefix?: string;
  /** Stands in logs and leases. Default `'root'`. */
  readonly name?: string;
  /** How many jobs run at a time, 1 to 1000. Default: the number of CPUs. */
  readonly maxThreads?: number;
  /** Limits the worker to these queues. Default: all. */
  readonly queues?: readonly string[];
  /** Limits the worker further: any MongoDB filter on job documents. Only for values that come from code. */
  readonly jobQuery?: Filter<JobDocument>;
  /** How long a crashed worker's jobs wait before they are recovered. At least 1 s, default 30 s. */
  readonly lease?: Duration;
  /** What `getJobErrors` makes of a job's errors. */
  readonly formatJobError?: JobErrorFormatter;
  /**
   * Asks for workers when jobs were queued: by adding, retrying, changing or resuming them, or by a schedule. Called, and
   * awaited for 3 seconds at most, once for all that one call queues; what it throws is logged. On Lambda `createKick` of
   * `remote-processor/lambda` makes it. Default: none, and jobs wait until a worker looks.
   */
  readonly kick?: Kick;
  /** Default: JSON lines on standard output, from `info` on. Nothing is logged of adding jobs. */
  readonly log?: Logger;
}

/** On whose behalf something is done. */
export interface CallerOptions {
  /** Of somebody that it is done for: refused when the `addRole` of its kind of job is above it. Default: code may all. */
  readonly callerRole?: Role | undefined;
}

/** When `drain` stops; without any of these, when no job is due. */
export interface DrainOptions {
  /** By then everything is settled or given back. */
  readonly deadline?: Date | undefined;
  /** How long before the deadline it stops. Default: 10 s, or a tenth of the time there is, the smaller. */
  readonly margin?: Duration | undefined;
  /** Stops it at once. */
  readonly signal?: AbortSignal;
  /**
   * With nothing left to do, waits for a job that is known to be due within so long, and runs it at its moment. A job
   * that becomes due while others run is begun at its moment, too. Default 0: neither.
   */
  readonly linger?: Duration | undefined;
  /**
   * Waits so only while no other worker of a processor of this name does, which is told this too; meanwhile it is not counted
   * as a worker. Default false.
   */
  readonly lingersAlone?: boolean;
  /** While jobs run and slots are free, or it waits, look for new jobs this often. Default: never, only when a job ends. */
  readonly pollInterval?: Duration;
  /**
   * Claims no more once a job went on after it was told to stop, so that the process can end: on Lambda it would be
   * frozen with that job, and thaw in the middle of the next invocation. Default false.
   */
  readonly stopWhenAbandoned?: boolean;
}

/** Of `removeJobs`. */
export interface RemoveJobsOptions {
  /** Only jobs that settled at least so long ago. */
  readonly olderThan?: Duration | undefined;
  /** No batch begins from then on. */
  readonly deadline?: Date | undefined;
  /** No batch begins once it has fired. */
  readonly signal?: AbortSignal | undefined;
}

/** Of `scheduleDueItems`. */
export interface ScheduleOptions {
  /**
   * Makes the jobs of occurrences that are due within so long ahead, to run at their very moment: the time until the
   * next call. Default 0.
   */
  readonly ahead?: Duration;
  /** When it has to end: the jobs of what is left then are made by the next call. */
  readonly deadline?: Date;
}

/**
 * The facade: adds, reads and cancels jobs, runs them, and turns due scheduler items into jobs. It holds no
 * connection and no timer of its own; several processes, and several objects, may share one database.
 *
 * @example
 * const processor = new RemoteProcessor({ db });
 * await processor.addJobFactory(echo);
 * const id = await processor.addJob('echo', { foo: 'bar' });
 * await processor.processNextJob();
 * await processor.getJobResult(id); // { foo: 'bar' }
 */
export class RemoteProcessor {
  readonly name: string;
  readonly maxThreads: number;
  readonly collectionPrefix: string;
  protected readonly log: Logger;
  protected readonly db: Db;
  readonly #connection: Connection;
  readonly #collections: Collections;
  readonly #registry: JobRegistry;
  readonly #openQueues: OpenQueues;
  readonly #worker: Worker;
  readonly #tally: Tally;
  readonly #events: Events;
  /** Tells who runs jobs here, and by the kick elsewhere, that some were queued. */
  protected readonly jobsReady: ReadySignal;
  readonly #formatJobError: JobErrorFormatter;

  /** @throws ValidationError listing every option that is wrong */
  constructor(options: RemoteProcessorOptions) {
    const valid = validateNow(optionsSchema, options, 'The configuration of RemoteProcessor');
    const { db, collectionPrefix, name, maxThreads, queues, jobQuery, lease, kick, log } = valid;
    this.name = name;
    this.maxThreads = maxThreads;
    this.collectionPrefix = collectionPrefix;
    this.log = log;
    this.db = db;
    this.#formatJobError = valid.formatJobError;
    this.#connection = new Connection(db.client);
    this.#collections = openCollections(db, collectionPrefix);
    const tellMissing = (index: string) => {
      const { code, message } = new IndexMissingError();
      log.warn(message, { code, index });
    };
    onIndexMissing(this.#collections.jobs, tellMissing);
    onIndexMissing(this.#collections.scheduler, tellMissing);
    this.#registry = new JobRegistry(this.#collections.jobFactories, log);
    this.#openQueues = new OpenQueues(this.#collections);
    const claimFilter = () => ({
      jobNames: this.#registry.names,
      ...(queues && { queues }),
      ...(jobQuery && { jobQuery }),
    });
    const events = new Events(log);
    this.#events = events;
    this.jobsReady = new ReadySignal(kick, events, log);
    this.#tally = new Tally(this.#collections.statistics, log);
    events.on('attemptEnded', (ended) => this.#tally.countAttempt(ended));
    logAttempts(events, log);
    this.#worker = {
      jobs: this.#collections.jobs,
      workers: this.#collections.workers,
      processor: this,
      factory: (jobName) => this.#registry.get(jobName),
      claimFilter,
      claimable: async () => {
        const open = await this.#openQueues.among(queues);
        return { ...claimFilter(), ...(open && { queues: open }) };
      },
      aloneFilter: () => this.#aloneFilter(claimFilter()),
      lookForLost: () => this.#lookForLost(),
      name,
      leaseMs: lease,
      durations: new RecentDurations(),
      events,
      jobsReady: this.jobsReady,
      log,
    };
  }

  /**
   * Calls `listener` at each event of this name from now on, and returns what ends that. An event is told after the write
   * that makes it true, in the process that wrote; nobody waits for the listener, and what it throws is logged.
   *
   * `jobAdded` and `jobsReady` are not told of what is added in a transaction of the caller. `jobAdded` may be told again of
   * a job that is added again under its id. `jobSettled` and `leaseLost` are not told of jobs whose workers crashed: those
   * are ended by recovery.
   *
   * @throws ValidationError for a name that no event has
   * @example
   * processor.on('jobSettled', ({ jobId, status }) => { if (status === 'error') alert(jobId); });
   */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    validateNow(listenSchema, { name, listener }, 'The call of on');
    return this.#events.on(name, listener);
  }

  /**
   * Makes the indexes that are missing, and drops those of earlier versions: once per deployment, not at each start of a
   * function.
   *
   * Warns in the log when documents of a version before there was a prefix are left behind: see `collectionPrefix`.
   *
   * Safe beside open transactions, whose end it waits for without holding up others for more than a second. A client with a
   * `socketTimeoutMS` gives up on an index that takes longer; the build goes on.
   *
   * @throws ValidationError for options that are none; ForeignDocumentsError when a collection holds documents that are not
   *   ours: nothing is made or dropped then; DuplicateValueError when values that are to be unique are there
   *   twice: all other indexes are made then
   */
  async ensureIndexes(options: IndexOptions = {}): Promise<void> {
    const valid = validateNow(indexOptionsSchema, options, 'The call of ensureIndexes');
    await this.#connection.make();
    const leftBehind = await findLeftBehind(this.#collections);
    if (leftBehind)
      this.log.warn(leftBehindText(leftBehind, this.#collections), { collections: leftBehind.names });
    await ensureIndexes(this.#collections, valid);
  }

  /**
   * Registers a kind of job: this processor can add and run it, and processes without its code can add it by
   * name. Give a name first to register it under another than its own.
   *
   * @throws ValidationError for a bad name, or for what `defineJob` did not make; nothing is registered then
   */
  async addJobFactory(...args: [factory: JobFactory] | [name: string, factory: JobFactory]): Promise<void> {
    const [name, factory] = args.length === 1 ? [args[0]?.name, args[0]] : args;
    await this.#register([[name, factory]]);
  }

  /**
   * Registers several kinds of jobs by name, in one or two commands for all.
   *
   * @throws ValidationError for a bad name, or for what `defineJob` did not make; nothing is registered then
   */
  async addJobFactories(
    factories: Readonly<Record<string, JobFactory>> | readonly JobFactory[],
  ): Promise<void> {
    await this.#register(
      isList(factories) ? factories.map((factory) => [factory?.name, factory]) : Object.entries(factories),
    );
  }

  /**
   * A page of what can be added by name, whichever process registered it, in the order of the names, and a cursor for the
   * next. It has at most 5 MB as it is sent as JSON.
   *
   * @throws ValidationError for a filter that is none, or a cursor that no page gave
   */
  async listJobFactories(filter?: PageFilter): Promise<JobFactoryPage> {
    await this.#connected();
    return this.#registry.list(filter);
  }

  /** The first page of `listJobFactories`, of up to 1000: by name. */
  async getJobFactories(): Promise<Record<string, JobFactoryInfo>> {
    const { jobFactories } = await this.listJobFactories({ limit: 1000 });
    return Object.fromEntries(jobFactories.map((info) => [info.name, info]));
  }

  /** What is known of one kind of job, whichever process registered it; undefined when nobody did. */
  async getJobFactory(name: string): Promise<JobFactoryInfo | undefined> {
    await this.#connected();
    return this.#registry.info(name);
  }

  /** The names of what can be added, whichever process registered it: the first 1000. */
  async getJobNames(): Promise<string[]> {
    await this.#connected();
    return this.#registry.storedNames();
  }

  /**
   * Adds a job and returns its id. Its input is checked here, and stored as it was given. Where the database fails, it
   * is tried again for 13 s (`patience`), except in a transaction; whether it arrived when that fails too is not known.
   * Then asks for a worker, by `kick`; in a transaction call `kick()` yourself once it is committed.
   *
   * @param job the name, or the factory itself, which types the input
   * @throws UnknownJobNameError, ForbiddenError for a `callerRole` below the factory's `addRole`, ValidationError, or
   *   ConflictError for an `id` that another job has; nothing is written then
   */
  async addJob<Input>(
    job: JobFactory<Input>,
    ...args: [...InputArguments<Input>, options?: AddJobOptions]
  ): Promise<string>;
  async addJob(job: string, input?: unknown, options?: AddJobOptions): Promise<string>;
  async addJob(job: string | JobFactory, input?: unknown, options?: AddJobOptions): Promise<string> {
    const jobName = typeof job === 'string' ? job : job?.name;
    const collections = await this.#connected();
    const { id, job: added, giveUpAt } = await addJob(collections, this.#registry, jobName, input, options);
    await this.#tellAdded([added], [id], giveUpAt, options);
    return id;
  }

  /**
   * Adds many jobs, by name, and returns their ids in the same order; each as `addJob` would. In commands of up to 1000,
   * so that a crash in between leaves some of them: who passes ids can try again, or add them in a transaction.
   *
   * @param options as in `AddJobOptions`
   * @throws UnknownJobNameError, ForbiddenError, or ValidationError whose paths begin with the place in the list: nothing
   *   is written then; ConflictError for an `id` that another job has: the others may be written
   */
  async addJobs(jobs: readonly JobToAdd[], options: AddJobsOptions = {}): Promise<string[]> {
    const collections = await this.#connected();
    const { ids, newJobs, giveUpAt } = await addJobs(collections, this.#registry, jobs, options);
    await this.#tellAdded(newJobs, ids, giveUpAt, options);
    return ids;
  }

  /**
   * Asks for workers, as adding a job does: for jobs that were added in a transaction of yours, once it is committed.
   * Without a `kick` it only wakes what runs jobs in this process. It never rejects.
   */
  async kick(): Promise<void> {
    await this.jobsReady.tell([someJob]);
  }

  /**
   * Changes a queued job: when it runs, its priority, its queue, its retries.
   *
   * @param options `callerRole`: as in `AddJobOptions`
   * @throws ValidationError, NotFoundError, ForbiddenError, or ConflictError when it is not queued; nothing is written then
   */
  async updateJob(id: string, changes: JobChanges, options: CallerOptions = {}): Promise<void> {
    const { runAt, delay, retryDelay, ...rest } = validateNow(
      jobChangesSchema,
      changes,
      'The call of updateJob',
    );
    await this.#requireMayHave(id, options, 'The call of updateJob');
    const moment = runAt ?? delay;
    await updateQueuedJob((await this.#connected()).jobs, id, { ...rest, retryDelay, runAt: moment });
    if (moment !== undefined || rest.queue !== undefined)
      await this.jobsReady.tell([{ runAt: moment ?? someJob.runAt }]);
  }

  /** The job with this id, or undefined. */
  async getJob(id: string): Promise<Job | undefined> {
    return findJob((await this.#connected()).jobs, id);
  }

  /**
   * A page of jobs, by default the 100 newest, and a cursor for the next. Each job that is there all the while comes
   * exactly once, whatever is added or removed between the pages.
   *
   * By one of `status`, `jobName` and `queue`, or none, it costs what it gives. By several, or by `errorText`, it looks
   * through at most 5,000 jobs: so a page may have fewer than `limit`, even none, and a cursor to go on with. A page has at
   * most 5 MB as it is sent as JSON, or a single job: of large jobs it has fewer, too.
   *
   * @throws ValidationError for a filter that is not a `JobsFilter`, or a cursor that no page gave
   * @example
   * let cursor: string | undefined;
   * do {
   *   const page = await processor.listJobs({ status: 'error', jobName: 'charge', cursor });
   *   for (const job of page.jobs) console.log(job.id);
   *   cursor = page.cursor;
   * } while (cursor !== undefined);
   */
  async listJobs(filter?: JobsFilter): Promise<JobPage> {
    return listJobs((await this.#connected()).jobs, filter);
  }

  /** The jobs of the first page of `listJobs`, but the oldest first unless told. @throws ValidationError as `listJobs` */
  async getJobs(filter?: JobsFilter): Promise<Job[]> {
    return (await listJobs((await this.#connected()).jobs, { ...filter, order: filter?.order ?? 'oldest' }))
      .jobs;
  }

  /** @throws NotFoundError */
  async getJobStatus(id: string): Promise<JobStatus> {
    return (await requireJob((await this.#connected()).jobs, id)).status;
  }

  /** What the job returned; null until it is completed. @throws NotFoundError */
  async getJobResult(id: string): Promise<unknown> {
    const { status, output } = await requireJob((await this.#connected()).jobs, id);
    return status === 'completed' ? (output ?? null) : null;
  }

  /** The job's errors as texts, oldest first; `getJob(id).errors` has them as objects. @throws NotFoundError */
  async getJobErrors(id: string): Promise<string[]> {
    const { errors } = await requireJob((await this.#connected()).jobs, id);
    return errors.map(this.#formatJobError);
  }

  /** What the job wrote by `log`, in all its attempts: the last 100 lines, and how many were dropped. @throws NotFoundError */
  async getJobLog(id: string): Promise<JobLog> {
    return findJobLog((await this.#connected()).jobs, id);
  }

  /**
   * Of each priority in which a job is due, the one that waits longest; the highest priority first, nothing when no
   * job is due. It costs one short read per such priority, and tells how far behind the workers are. A job that
   * nobody claims turns up here, since those before it are claimed. Jobs of paused queues do not count.
   */
  async getOldestWaitingJobs(): Promise<WaitingJob[]> {
    const { jobs } = await this.#connected();
    const open = await this.#openQueues.among(undefined);
    return findOldestWaiting(jobs, this.#worker.claimFilter(), open);
  }

  /**
   * How many jobs are due that this processor takes, those of paused queues left out: counted up to `limit`, by default
   * 1000.
   */
  async countReadyJobs(limit = 1000): Promise<number> {
    const valid = validateNow(readyLimit, limit, 'Limit of countReadyJobs');
    return countDueJobs((await this.#connected()).jobs, await this.#worker.claimable(), valid);
  }

  /** How many jobs there are of each status: counted up to 10,000 each, by an index. */
  async countJobs(): Promise<JobCounts> {
    return countJobs((await this.#connected()).jobs);
  }

  /**
   * A page of the queues that have queued jobs or are paused, by name, with what waits in them, counted up to 10,000; and a
   * cursor for the next. However many queues there are, a page costs at most 33 commands; mostly two. It may have fewer
   * than `limit`, and a cursor to go on with, when many of its queues have more than 10,000 jobs.
   *
   * @throws ValidationError for a filter that is none, or a cursor that no page gave
   */
  async listQueues(filter?: PageFilter): Promise<QueuePage> {
    return findQueues(await this.#connected(), filter);
  }

  /** The first page of `listQueues`, of up to 1000 queues. */
  async getQueues(): Promise<Queue[]> {
    return (await this.listQueues({ limit: 1000 })).queues;
  }

  /**
   * Pauses a queue, whether there are jobs in it or not: within 5 seconds no worker claims its jobs any more. What runs
   * goes on, jobs can be added, and wait; jobs whose workers crash go back into the queue. One that is paused stays so.
   *
   * @returns since when it is paused
   * @throws ValidationError for what cannot be the name of a queue
   */
  async pauseQueue(name: string): Promise<Date> {
    const valid = validateNow(queueSchema, name, 'Name of the queue');
    const since = await pauseQueue((await this.#connected()).queues, valid);
    this.#openQueues.forget();
    return since;
  }

  /**
   * Ends the pause of a queue: its jobs are claimed again by the next invocation of a worker, or within 5 seconds by one
   * that is under way. One that is not paused stays so.
   *
   * @throws ValidationError for what cannot be the name of a queue
   */
  async resumeQueue(name: string): Promise<void> {
    const valid = validateNow(queueSchema, name, 'Name of the queue');
    await resumeQueue((await this.#connected()).queues, valid);
    this.#openQueues.forget();
    await this.kick();
  }

  /**
   * A page of the worker invocations under way that have claimed something, whatever process they run in, the oldest
   * first, and a cursor for the next. One is seen once it has lasted for a second; one that crashed, until its lease has
   * expired.
   *
   * @throws ValidationError for a filter that is none, or a cursor that no page gave
   */
  async listWorkers(filter?: PageFilter): Promise<WorkerPage> {
    return listLiveWorkers((await this.#connected()).workers, filter);
  }

  /** The first page of `listWorkers`, of up to 1000. */
  async getWorkers(): Promise<LiveWorker[]> {
    return (await this.listWorkers({ limit: 1000 })).workers;
  }

  /** How many worker invocations are under way. */
  async countWorkers(): Promise<number> {
    return countLiveWorkers((await this.#connected()).workers);
  }

  /**
   * How many attempts ended, and how, of the last time (`since`, default an hour): one point for each `step` (default a
   * minute), the oldest first, also where nothing was counted. Of one kind of job with `jobName`. They end with the minute
   * under way, and each is a whole step: where steps do not go into the time without a rest, the first begins earlier.
   *
   * Workers count as they settle, and write that down at the end of a drain and each minute while it goes on: so a point
   * may be a minute late, and what a crashed worker counted last is not in it. Kept for 8 days, by the database's minutes.
   * A minute has at most 100 job names: those that come later are counted among all jobs only.
   *
   * @throws ValidationError for options that are none
   */
  async getStatistics(options: StatisticsOptions = {}): Promise<StatisticsPoint[]> {
    const { findStatistics } = await import('./statistics/find-statistics.js');
    return findStatistics(this.db, (await this.#connected()).statistics, options);
  }

  /**
   * Cancels a queued job at once; asks a running one to stop. However its attempt ends, it ends `cancelled`.
   *
   * @returns `cancelled`, or `processing` when it was asked to stop
   * @throws NotFoundError, or ConflictError when it is settled already
   */
  async cancelJob(id: string): Promise<JobStatus> {
    const status = await cancelJob((await this.#connected()).jobs, id);
    if (status === 'cancelled') this.#events.tell('jobSettled', { jobId: id, status });
    return status;
  }

  /**
   * Queues a job again that ended in `error` or `cancelled`. Its counter and its errors are kept, `maxRetries` goes up
   * by one, and its unique key is taken again. One that was delayed when it was cancelled keeps its moment.
   *
   * @param options `callerRole`: as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, or ConflictError when it is not settled so, or its unique key is taken by now
   */
  async retryJob(id: string, options: CallerOptions = {}): Promise<void> {
    await this.#requireMayHave(id, options, 'The call of retryJob');
    await retryJob(await this.#connected(), id);
    await this.kick();
  }

  /**
   * Removes settled jobs, the oldest first, 1,000 at a time, and tells how many per status; `more: true` when it had to stop
   * before all were removed.
   *
   * @param statuses default: `cancelled`, `completed` and `error`
   * @param options `olderThan`: only jobs that settled at least that long ago; `deadline` and `signal`: no batch begins
   *   from then on. Default: it goes on until all are removed
   * @throws ValidationError for `queued` and `processing`: jobs that are not settled cannot be removed
   */
  async removeJobs(
    statuses: readonly SettledStatus[] = settledStatuses,
    options: RemoveJobsOptions = {},
  ): Promise<RemovedCounts> {
    const valid = validateNow(removeJobsSchema, { statuses, ...options }, 'The call of removeJobs');
    const { olderThan: olderThanMs, deadline, signal } = valid;
    const mustStop = () =>
      signal?.aborted === true || (deadline !== undefined && Date.now() >= deadline.getTime());
    return removeJobs((await this.#connected()).jobs, { statuses: valid.statuses, olderThanMs, mustStop });
  }

  /**
   * Removes one job. A job that a scheduler item made ahead cannot be removed before its occurrence was due.
   *
   * @throws NotFoundError, or ConflictError when it is not settled, or was made ahead
   */
  async removeJob(id: string): Promise<void> {
    await removeJob((await this.#connected()).jobs, id);
  }

  /**
   * Claims the next due job for the caller to run, or returns undefined. End it with `completeJob` or `failJob`;
   * left alone, it is recovered once its lease has expired.
   */
  async pullNextJob(): Promise<ClaimedJob | undefined> {
    const { jobs } = await this.#connected();
    const { name, leaseMs, claimable, aloneFilter } = this.#worker;
    const lease = { token: randomUUID(), worker: workerName(name), leaseMs };
    const [claimed] = await claimJobs(jobs, await claimable(), lease, 1);
    const [job] = claimed ? [claimed] : await claimJobAlone(jobs, aloneFilter(), lease);
    return job;
  }

  /**
   * Settles a job of `pullNextJob` as completed. Settling it again with the same token changes nothing: it returns the
   * status that the job has by then.
   *
   * @returns the status it has now: `cancelled` if that was asked for
   * @throws ValidationError for an output that the factory refuses; ConflictError when the lease was lost
   */
  async completeJob(job: ClaimedJob, output?: unknown): Promise<JobStatus> {
    const factory = this.#registry.get(job.jobName);
    const parsed = factory ? await factory.parseOutput(output) : output;
    const { value, bytes } = toOutput(parsed, job.jobName);
    return this.#settle(job, { kind: 'completed', output: value, outputBytes: bytes });
  }

  /**
   * Settles a job of `pullNextJob` as failed: `error` for a RemoteException, otherwise queued again while attempts
   * are left. Settling it again with the same token changes nothing: it returns the status that the job has by then.
   *
   * @returns the status it has now
   * @throws ConflictError when the lease was lost
   */
  async failJob(job: ClaimedJob, error: unknown): Promise<JobStatus> {
    return this.#settle(job, failedOutcome(error, job, this.#registry.get(job.jobName)));
  }

  /**
   * Runs the next due job, if there is one. True if a job was run, however it ended: a job's error is never
   * thrown here. When none is due, looks for jobs whose workers crashed first.
   */
  async processNextJob(): Promise<boolean> {
    const wasRun = (await this.#runOne(false)) || (await this.#runLostOne());
    // A write for each job would be half as much again.
    await (wasRun ? this.#tally.writeIfDue() : this.#tally.write());
    return wasRun;
  }

  /** `processNextJob` until no job is due; returns how many were run. */
  async processJobs(): Promise<number> {
    let count = 0;
    while (await this.processNextJob()) count += 1;
    return count;
  }

  /**
   * What a worker invocation does: claims due jobs and runs them, `maxThreads` at a time, until none is due or it
   * must stop; then it gives back what is not finished. It begins by recovering jobs whose workers crashed; if that
   * fails, it goes on without.
   *
   * @returns what it did
   * @throws ValidationError, and what the driver throws when no job at all can be claimed
   */
  async drain(options: DrainOptions = {}): Promise<DrainSummary> {
    const { deadline, margin, signal, linger, lingersAlone, pollInterval, stopWhenAbandoned } = validateNow(
      drainOptionsSchema,
      options,
      'The call of drain',
    );
    return withStopSignal({ deadline, marginMs: margin, signal }, async (stopSignal) => {
      await unlessAborted(stopSignal.stop, this.#connected());
      // Also by a drain that is told to stop at once: it may be all that looks after the jobs of crashed workers.
      const runsAlone = (await unlessAborted(stopSignal.end, this.#worker.lookForLost())) ?? false;
      const limits = {
        ...stopSignal,
        maxThreads: this.maxThreads,
        maxJobs: Number.POSITIVE_INFINITY,
        runsAlone,
        stopWhenAbandoned,
        lingerMs: linger,
        lingersAlone,
        ...(pollInterval !== undefined && { pollMs: pollInterval }),
      };
      return this.#tally.writeDuring(() => drain(this.#worker, limits));
    });
  }

  /**
   * Ends the attempts whose leases have expired, because their workers crashed or were cut off, and returns how many
   * there were. `drain` and `scheduleDueItems` begin with it.
   */
  async recoverJobs(): Promise<number> {
    const { recovered } = await this.#recover();
    await this.jobsReady.tell(Array<QueuedJob>(recovered).fill(someJob));
    return recovered;
  }

  async #recover(): Promise<Recovery> {
    const recover = async () => recoverJobs(await this.#connected());
    const recovery = await retryWhileUnreachable(RECOVERY_RETRY_MS, recover, RECOVERY_TRY_MS);
    this.#openQueues.learn(recovery.pausedQueues);
    this.#tally.countRecovered(recovery.recovered);
    return recovery;
  }

  /**
   * Adds a scheduler item and returns its id. It makes jobs once it is active.
   *
   * @param caller `callerRole`: as in `AddJobOptions`
   * @throws ValidationError (also for an item that would never be due), UnknownJobNameError, ForbiddenError, or
   *   ConflictError when its id is taken, or a removed item of this id has a job of its first moment; nothing is written
   *   then
   */
  async addScheduler(options: SchedulerOptions, caller: CallerOptions = {}): Promise<string> {
    const { callerRole } = validateNow(callerOptionsSchema, caller, 'The call of addScheduler');
    const { addItem } = await scheduling();
    return addItem(this.db, await this.#connected(), this.#registry, options, callerRole);
  }

  /**
   * Changes a scheduler item, and returns it as it is now. Jobs that it made ahead are withdrawn, and made again as it
   * is now, by the next call of `scheduleDueItems`. When its moments become others (by `type`, `cron`, lists, `delay`, `at`,
   * `startAt`, or the `timeZone` of a pattern), the next one is computed from now, once what is due is made; otherwise it keeps its rhythm, and another
   * end only cuts it off. An item that has ended stays so, also when its end is taken away, until it is activated.
   *
   * @param changes any option of `addScheduler` but the id; null takes away one that may be left out, and does nothing for
   *   a list or an expression that the item does not have; but it is an input
   * @param options `version`: of the item that was looked at; another one by now is a conflict. Default: any.
   *   `callerRole`: as in `AddJobOptions`, for its job as it was and as it is to be
   * @throws ValidationError, UnknownJobNameError, ForbiddenError, NotFoundError, or ConflictError when another transaction holds the item
   *   for more than 10 s, as one of a killed process does for up to a minute; nothing is changed then
   */
  async updateScheduler(
    id: string,
    changes: SchedulerChanges,
    options: CallerOptions & { readonly version?: number | undefined } = {},
  ): Promise<SchedulerItem> {
    const valid = validateNow(updateSchedulerOptionsSchema, options, 'The call of updateScheduler');
    const { updateItem } = await scheduling();
    const item = await updateItem(this.db, await this.#connected(), this.#registry, id, changes, valid);
    await this.kick(); // What was due was made.
    return item;
  }

  /** The scheduler item with this id, or undefined. */
  async getScheduler(id: string): Promise<SchedulerItem | undefined> {
    const { findItem } = await scheduling();
    return findItem((await this.#connected()).scheduler, id);
  }

  /**
   * A page of the scheduler items, in the order of their ids, and a cursor for the next. It has at most 5 MB as it is sent
   * as JSON: of items with large inputs it has fewer than `limit`.
   *
   * @throws ValidationError for a filter that is not a `SchedulersFilter`, or a cursor that no page gave
   */
  async listSchedulers(filter?: SchedulersFilter): Promise<SchedulerPage> {
    const { listItems } = await scheduling();
    return listItems((await this.#connected()).scheduler, filter);
  }

  /** The scheduler items of the first page of `listSchedulers`, of up to 1000 unless told. @throws ValidationError */
  async getSchedulers(filter?: SchedulersFilter): Promise<SchedulerItem[]> {
    return (await this.listSchedulers({ limit: 1000, ...filter })).schedulers;
  }

  /** The active scheduler items that are due next, the soonest first, without their inputs. @param limit 1 to 1000 */
  async getNextSchedulers(limit = 10): Promise<SchedulerItem[]> {
    const { findNextItems } = await scheduling();
    const valid = validateNow(nextCount, limit, 'Limit of getNextSchedulers');
    return findNextItems((await this.#connected()).scheduler, valid);
  }

  /**
   * Starts a scheduler item, from the database's now on. One that is active stays as it is, and so does one whose last
   * job was made ahead and is not due yet. Returns it.
   *
   * @param options `callerRole`: as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, ValidationError when it has no occurrence, or none any more, or ConflictError as
   *   `updateScheduler`
   */
  async activateScheduler(id: string, options: CallerOptions = {}): Promise<SchedulerItem> {
    const { callerRole } = validateNow(callerOptionsSchema, options, 'The call of activateScheduler');
    const { activateItem } = await scheduling();
    return activateItem(this.db, await this.#connected(), this.#registry, id, callerRole);
  }

  /**
   * Stops a scheduler item. What is due is made first, and the jobs that it made ahead are withdrawn. Returns it.
   *
   * @throws NotFoundError, or ConflictError as `updateScheduler`
   */
  async deactivateScheduler(id: string): Promise<SchedulerItem> {
    const { deactivateItem } = await scheduling();
    const item = await deactivateItem(this.db, await this.#connected(), this.#registry.defaultsOf, id);
    await this.kick();
    return item;
  }

  /**
   * Removes a scheduler item, and the jobs that it made ahead; its other jobs stay, also those of what is due, which are
   * made first.
   *
   * @throws NotFoundError, or ConflictError as `updateScheduler`
   */
  async removeScheduler(id: string): Promise<void> {
    const { removeItem } = await scheduling();
    await removeItem(this.db, await this.#connected(), this.#registry.defaultsOf, id);
    await this.kick();
  }

  /**
   * Adds a job as the scheduler item makes them, at once and beside its occurrences; whether it is active does not
   * matter. It counts neither for `maxOccurrences`, nor as the job before for `overlap`. Returns the job's id.
   *
   * @param options `jobId`: the id that the job gets; when there is a job with this id already, nothing is done.
   *   `callerRole`: as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, or ValidationError for an id that none can have
   */
  async runNow(
    schedulerId: string,
    options: CallerOptions & { readonly jobId?: string | undefined } = {},
  ): Promise<string> {
    const valid = validateNow(runNowOptionsSchema, options, 'The call of runNow');
    const { runNow } = await scheduling();
    const id = await runNow(this.db, await this.#connected(), this.#registry, schedulerId, valid);
    await this.kick();
    return id;
  }

  /**
   * The next occurrences of a scheduler item, also those whose jobs were made ahead, or of one by options that is not
   * added; of one that is not active, as if it were activated now. Whether they will overlap is not known.
   *
   * @param count at most 1000, default 10; there may be fewer
   * @throws NotFoundError, or ValidationError, also for options by which an item would never be due; whether they name a
   *   known job, and its input, does not matter
   */
  async preview(scheduler: string | SchedulerOptions, count = 10): Promise<Preview[]> {
    const { preview } = await scheduling();
    return preview(
      this.db,
      await this.#connected(),
      scheduler,
      validateNow(previewCount, count, 'Count of preview'),
    );
  }

  /**
   * Brings scheduler items to what is declared in code, by their ids: adds those that are new, changes those whose
   * declaration changed, deactivates those that this processor (by its name) declares no more. Items made by hand are
   * left alone, and so is what people changed by hand since, such as `active`, until the declaration changes. One that was
   * removed by hand comes back. An id that another processor declares no more can be taken over.
   *
   * Two programs on one database that both declare items need two names, or each deactivates the items of the other. A
   * processor of the default name warns in its log when it deactivates any.
   *
   * @returns what was done; nothing when all is as declared
   * @throws ValidationError, also for an unknown job; nothing is written then
   */
  async syncSchedulers(declared: readonly DeclaredScheduler[]): Promise<SchedulerSync> {
    const { syncItems } = await scheduling();
    return syncItems(this.db, await this.#connected(), this.#registry, this.name, declared, this.log);
  }

  /** Makes the job of at most one due occurrence, the longest due, and returns the job's id, or undefined. */
  async scheduleNextJob(): Promise<string | undefined> {
    const { scheduleNextJob } = await scheduling();
    const made = await scheduleNextJob(await this.#connected(), this.#registry.defaultsOf, this.log);
    this.#tellFired(made ? [made] : []);
    if (made) await this.jobsReady.tell([made]);
    return made?.id;
  }

  /**
   * What a scheduler invocation does: recovers jobs whose workers crashed, and makes the jobs of all due occurrences.
   *
   * @returns the ids of the jobs it made
   * @throws ValidationError, and what the driver throws when the database cannot be reached
   */
  async scheduleDueItems(options: ScheduleOptions = {}): Promise<string[]> {
    const { ahead, deadline } = validateNow(scheduleOptionsSchema, options, 'The call of scheduleDueItems');
    const { recovered } = await this.#recover();
    await this.#tally.write();
    const tick = { aheadMs: ahead, deadline: deadline?.getTime() ?? Number.POSITIVE_INFINITY };
    const { scheduleDueItems } = await scheduling();
    const made = await scheduleDueItems(await this.#connected(), this.#registry.defaultsOf, tick, this.log);
    this.#tellFired(made);
    const soon = await this.#queuedLongAgo(ahead);
    await this.jobsReady.tell([...Array<QueuedJob>(recovered).fill(someJob), ...made, ...soon]);
    return made.map(({ id }) => id);
  }

  #tellFired(made: readonly MadeJob[]): void {
    for (const { id: jobId, jobName, queue, occurrence } of made) {
      const { item: scheduler, at } = occurrence;
      if (this.#events.isHeard('jobAdded'))
        this.#events.tell('jobAdded', { jobId, jobName, queue, scheduler });
      if (this.#events.isHeard('scheduleFired'))
        this.#events.tell('scheduleFired', { scheduler, at, jobId, jobName });
    }
  }

  /** Jobs due within so long, of whose moment nobody was told when they were queued. */
  async #queuedLongAgo(aheadMs: number): Promise<QueuedJob[]> {
    if (aheadMs === 0 || !this.jobsReady.isHeard) return [];
    const { jobs } = await this.#connected();
    const found = await findDueSoon(jobs, await this.#worker.claimable(), aheadMs, MAX_AHEAD_MS);
    return found.map((runAt) => ({ runAt }));
  }

  /**
   * Recomputes an item's next call from the database's now, once what is due is made, and returns it; null when it is not active.
   *
   * @param options `callerRole`: as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, or ConflictError as `updateScheduler`
   */
  async reScheduleItem(id: string, options: CallerOptions = {}): Promise<Date | null> {
    const { callerRole } = validateNow(callerOptionsSchema, options, 'The call of reScheduleItem');
    const { rescheduleItem } = await scheduling();
    const next = await rescheduleItem(this.db, await this.#connected(), this.#registry, id, callerRole);
    await this.kick();
    return next;
  }

  /**
   * As `reScheduleItem` for all active items; returns how many there are.
   *
   * @param options `callerRole`: as in `AddJobOptions`; items whose jobs it may not add are passed over, and not counted
   */
  async reScheduleItems(options: CallerOptions = {}): Promise<number> {
    const { callerRole } = validateNow(callerOptionsSchema, options, 'The call of reScheduleItems');
    const { rescheduleItems } = await scheduling();
    const count = await rescheduleItems(
      this.db,
      await this.#connected(),
      this.#registry,
      this.log,
      callerRole,
    );
    await this.kick();
    return count;
  }

  /**
   * Does a request that adds jobs unless it was done before under its key, which is kept for 24 hours: what the HTTP
   * API makes of `Idempotency-Key`. The ids of the jobs are stored first, so that a crash in the middle neither loses
   * nor doubles one: whoever sends the request again goes on with them.
   *
   * @throws what its work throws
   */
  async doOnce(request: IdempotentRequest): Promise<OnceOutcome> {
    const { doOnce } = await import('./idempotency/do-once.js');
    return doOnce((await this.#connected()).idempotencyKeys, request);
  }

  /**
   * Counts a wrong key of the HTTP API by the address that it came from.
   *
   * @param address whose wrong keys are counted together
   */
  async countWrongKey(address: string): Promise<WrongKeyCount> {
    const { countWrongKey } = await import('./access/count-wrong-key.js');
    return countWrongKey((await this.#connected()).wrongKeys, address);
  }

  /** Writes down that a session of the dashboard is over; again does nothing. */
  async endSession(id: string, expires: Date): Promise<void> {
    const { endSession } = await import('./access/end-session.js');
    await endSession((await this.#connected()).endedSessions, id, expires);
  }

  /** Whether the holder of a session of the dashboard signed out. */
  async isSessionEnded(id: string): Promise<boolean> {
    const { isSessionEnded } = await import('./access/is-session-ended.js');
    return isSessionEnded((await this.#connected()).endedSessions, id);
  }

  /**
   * What a transaction of the caller adds is not there yet.
   *
   * @param ids of the jobs, or of those that have their unique keys
   */
  async #tellAdded(
    jobs: readonly NewJob[],
    ids: readonly string[],
    giveUpAt: number,
    { session }: AddJobsOptions = {},
  ): Promise<void> {
    if (session?.inTransaction() === true) return;
    if (this.#events.isHeard('jobAdded')) {
      const added = jobs.filter(({ id }, index) => id === ids[index]);
      for (const { id: jobId, jobName, queue } of added)
        this.#events.tell('jobAdded', { jobId, jobName, queue });
    }
    await this.jobsReady.tell(jobs, giveUpAt);
  }

  /** @throws ForbiddenError when such a caller may not add a job of the name that this one has; ValidationError, NotFoundError */
  async #requireMayHave(id: string, caller: CallerOptions, subject: string): Promise<void> {
    const { callerRole } = validateNow(callerOptionsSchema, caller, subject);
    const jobName = async () => (await requireJob((await this.#connected()).jobs, id)).jobName;
    await this.#registry.requireMayAdd(jobName, callerRole);
  }

  /** What was not recovered is found by the next invocation; whether the database is there, a claim will tell. */
  async #lookForLost(): Promise<boolean> {
    try {
      return (await this.#recover()).waitsAlone;
    } catch (error) {
      this.log.warn('Jobs of crashed workers could not be recovered', { error: String(error) });
      return false;
    }
  }

  /** The filter without the queues that are paused. They are few, and so are the jobs that it is for. */
  #aloneFilter(filter: ClaimFilter): ClaimFilter {
    const { paused } = this.#openQueues;
    if (paused.length === 0) return filter;
    const isOpen: Filter<JobDocument> = { queue: { $nin: [...paused] } };
    return { ...filter, jobQuery: filter.jobQuery ? { $and: [isOpen, filter.jobQuery] } : isOpen };
  }

  async #runLostOne(): Promise<boolean> {
    const { recovered, waitsAlone } = await this.#recover();
    return (recovered > 0 || waitsAlone) && this.#runOne(waitsAlone);
  }

  async #runOne(runsAlone: boolean): Promise<boolean> {
    await this.#connected();
    const { claimed } = await withStopSignal({}, (never) =>
      drain(this.#worker, { ...never, maxThreads: 1, maxJobs: 1, runsAlone, lingerMs: 0 }),
    );
    return claimed > 0;
  }

  async #settle(job: ClaimedJob, outcome: Outcome): Promise<JobStatus> {
    const { id } = job;
    const { jobs } = await this.#connected();
    const [settledAs = 'stale'] = await settleJobs(jobs, [settlementOf(job, outcome)]);
    tellEnded(this.#events, job, outcome, settledAs);
    await this.#tally.writeIfDue();
    if (settledAs === 'queued') await this.jobsReady.tell(queuedAgain(job, outcome));
    if (settledAs !== 'stale') return settledAs;
    throw new ConflictError(
      id,
      `The lease of job '${id}' was lost: another worker may have it. Nothing was changed.`,
    );
  }

  async #register(entries: Parameters<JobRegistry['register']>[0]): Promise<void> {
    await this.#connected();
    await this.#registry.register(entries);
  }

  /**
   * The collections, once the client is connected: what is done through them alone might find it closed for ever.
   *
   * @throws ForeignDocumentsError when they are an application's
   */
  async #connected(): Promise<Collections> {
    await this.#connection.make();
    await requireOurs(this.#collections);
    return this.#collections;
  }
}

const MIN_LEASE_MS = 1000;

const level = z.function();

function isLogger(value: unknown): value is Logger {
  return z.object({ debug: level, info: level, warn: level, error: level }).safeParse(value).success;
}

function isFilter(value: unknown): value is Filter<JobDocument> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const optionsSchema = z.strictObject({
  db: z
    .custom<Db>(isDb, "expected a Db of the mongodb driver, such as client.db('jobs')")
    .superRefine((db, { addIssue }) => {
      const problem = driverProblem(db);
      if (problem !== undefined) addIssue(problem);
    }),
  log: z
    .custom<Logger>(isLogger, 'expected debug, info, warn and error functions')
    .default(() => atLevel('info', jsonLogger)),
  formatJobError: z
    .custom<JobErrorFormatter>((value) => typeof value === 'function', 'expected a function')
    .default(() => formatJobError),
  jobQuery: z
    .custom<Filter<JobDocument>>(isFilter, 'expected a MongoDB filter')
    .transform((filter): Filter<JobDocument> => inOwnBson(filter))
    .optional(),
  collectionPrefix: collectionPrefixSchema.default(DEFAULT_COLLECTION_PREFIX),
  name: z.string().min(1).max(100).default(DEFAULT_NAME),
  maxThreads: z.int().min(1).max(1000).default(availableParallelism),
  queues: z.array(z.string().min(1)).min(1).optional(),
  kick: z.custom<Kick>((value) => typeof value === 'function', 'expected a function').optional(),
  lease: timerDurationSchema
    .refine((lease) => lease >= MIN_LEASE_MS, 'expected a lease of at least 1 second')
    .default(DEFAULT_LEASE_MS),
});

const removeJobsSchema = z.strictObject({
  statuses: z.array(
    z.enum(settledStatuses, {
      error: `expected ${settledStatuses.join(', ')}: a job that is not settled cannot be removed`,
    }),
  ),
  olderThan: durationSchema.optional(),
  deadline: z.date().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

const listenSchema = z.strictObject({
  name: z.enum(eventNames),
  listener: z.custom((value) => typeof value === 'function', 'expected a function'),
});

const drainOptionsSchema = z.strictObject({
  deadline: z.date().optional(),
  margin: timerDurationSchema.optional(),
  signal: z.instanceof(AbortSignal).optional(),
  linger: timerDurationSchema.default(0),
  lingersAlone: z.boolean().default(false),
  pollInterval: timerDurationSchema.optional(),
  stopWhenAbandoned: z.boolean().default(false),
});

const readyLimit = z.int().min(1);

const callerOptionsSchema = z.strictObject({ callerRole: callerRoleSchema });

const runNowOptionsSchema = callerOptionsSchema.extend({ jobId: addJobDataSchema.shape.id });

const updateSchedulerOptionsSchema = callerOptionsSchema.extend({ version: z.int().optional() });
const indexOptionsSchema = z.strictObject({
  byQueue: z.boolean().optional(),
  onProgress: z
    .custom<(progress: IndexProgress) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
});

const previewCount = z.int().min(1).max(1000);

const nextCount = previewCount;

const scheduleOptionsSchema = z.strictObject({
  ahead: durationSchema.default(0),
  deadline: z.date().optional(),
});

function isList(value: object): value is readonly JobFactory[] {
  return Array.isArray(value);
}
