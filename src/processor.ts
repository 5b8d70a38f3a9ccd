import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ClientSession, Db, Filter } from 'mongodb';
import * as z from 'zod';
import { type CallerOptions, callerOptionsSchema } from './access/caller.js';
import type { Role } from './access/role.js';
import type { Alerts } from './alert/alerts.js';
import { type AlertsOptions, alertsSchema } from './alert/alerts-options.js';
import { Audit } from './audit/audit.js';
import { type Collections, openCollections } from './collections/collections.js';
import { connectedCollections } from './collections/connected-collections.js';
import { ensureIndexes } from './collections/ensure-indexes.js';
import { findLeftBehind, leftBehindText } from './collections/find-left-behind.js';
import type { IndexOptions, IndexProgress } from './collections/index-options.js';
import { requireOurs } from './collections/require-ours.js';
import { type Duration, durationSchema, timerDurationSchema } from './duration.js';
import { ConflictError, IndexMissingError } from './errors.js';
import { type EventListener, type EventName, Events, eventNames } from './events.js';
import { FailureTally } from './failure/failure-tally.js';
import { Failures } from './failure/failures.js';
import { Breakers } from './flow/breakers.js';
import { Entrance } from './flow/entrance.js';
import { Gate } from './flow/gate.js';
import { LimitSettings } from './flow/limit-settings.js';
import { Limits } from './flow/limits.js';
import { Lines, type SlotHolder } from './flow/lines.js';
import { FormerNames } from './former-names.js';
import { type AddedGroup, addBatch } from './group/add-batch.js';
import { addWorkflow } from './group/add-workflow.js';
import type { GroupAdding } from './group/adding.js';
import { Batches } from './group/batches.js';
import { lookSoon } from './group/close-group.js';
import type { AddBatchOptions, Workflow, WorkflowJobs } from './group/group-options.js';
import { Groups, type Settled } from './group/groups.js';
import { listTree } from './group/list-tree.js';
import { removeDescendants } from './group/tree.js';
import { Workflows } from './group/workflows.js';
import { type Added, addJob } from './job/add-job.js';
import { type AnyJobToAdd, addChecked, addJobs, checkJobs } from './job/add-jobs.js';
import type { AddMiddleware } from './job/addition.js';
import { cancelJob } from './job/cancel-job.js';
import { claimJobAlone } from './job/claim-job-alone.js';
import { claimJobs } from './job/claim-jobs.js';
import type { JobFactory } from './job/define-job.js';
import { Factories } from './job/factories.js';
import { findJob, requireJob } from './job/find-job.js';
import { findDueSoon } from './job/find-next-due.js';
import { formatJobError, type JobErrorFormatter } from './job/format-job-error.js';
import { groupOf, jobKey } from './job/group.js';
import type { NewJob } from './job/insert-job.js';
import {
  type ClaimedJob,
  isSettled,
  type Job,
  type JobDocument,
  type JobStatus,
  type SettledStatus,
  settledStatuses,
} from './job/job.js';
import type { JobContract } from './job/job-contract.js';
import {
  type AddJobOptions,
  type AddJobsOptions,
  type JobChanges,
  jobChangesSchema,
  sessionSchema,
} from './job/job-options.js';
import { Jobs } from './job/jobs.js';
import type { JobFactoryInfo } from './job/list-job-factories.js';
import type { JobsFilter } from './job/list-jobs.js';
import type { Middleware, RunMiddleware, StepMiddleware } from './job/middleware.js';
import { freedSlots, isForGood, type Outcome, queuedAgain, settlementOf, unbegun } from './job/outcome.js';
import { type QueuedJob, someJob } from './job/queued-job.js';
import type { ClaimFilter } from './job/queued-jobs.js';
import { type Registration, readRegistration, readRegistrations } from './job/registration.js';
import { isJob, JobRegistry, jobsSchema } from './job/registry.js';
import { removeJob } from './job/remove-job.js';
import { type RemovedCounts, removeJobs } from './job/remove-jobs.js';
import { retryJob } from './job/retry-job.js';
import { type SentSignal, sendSignal, signalId } from './job/send-signal.js';
import { settleInSession, settleJobs } from './job/settle-jobs.js';
import { sweepPages } from './job/step-pages.js';
import { toOutput } from './job/storable.js';
import type { AddArguments, JobsByName, JobsToAdd, NamedJobToAdd, TypedJobToAdd } from './job/typed-jobs.js';
import { updateQueuedJob } from './job/update-queued-job.js';
import { type SettledJob, waitForJob } from './job/wait-for-job.js';
import type { AddedJob } from './job/write-job.js';
import { type Kick, MAX_AHEAD_MS, ReadySignal } from './jobs-ready.js';
import { jsonLogger, type Logger } from './log.js';
import { atLevel, loggerSchema } from './log-level.js';
import { Marks } from './mark/marks.js';
import { onIndexMissing } from './mongo/by-index.js';
import { collectionPrefixSchema, DEFAULT_COLLECTION_PREFIX } from './mongo/collection-prefix.js';
import { Connection } from './mongo/connection.js';
import { type AnyDb, type AnySession, driverProblem, isDb } from './mongo/driver-of.js';
import { inOwnBson } from './mongo/own-bson.js';
import { retryWhileUnreachable } from './mongo/retry-while-unreachable.js';
import type { OperationHooks } from './operation/change-slice.js';
import { type OperationInfo, Operations, type StartOptions } from './operation/operations.js';
import { workOnOperations } from './operation/work-on-operations.js';
import { DEFAULT_NAME } from './processor-name.js';
import { OpenQueues } from './queue/open-queues.js';
import { Queues } from './queue/queues.js';
import type { DeclaredScheduler } from './scheduler/declaration.js';
import type { SchedulerItem } from './scheduler/item.js';
import type { SchedulersFilter } from './scheduler/list-items.js';
import { scheduling } from './scheduler/load-operations.js';
import type { SchedulerChanges, SchedulerOptions } from './scheduler/scheduler-options.js';
import { Schedules } from './scheduler/schedules.js';
import type { SchedulerSync } from './scheduler/sync-items.js';
import type { NamedScheduler, TypedScheduler } from './scheduler/typed-scheduler.js';
import { HourRollUp } from './statistics/roll-up-hours.js';
import { Statistics } from './statistics/statistics.js';
import { Tally } from './statistics/tally.js';
import { Callbacks, type CallbacksOptions, callbackLinks, callbacksSchema } from './step/callbacks.js';
import { undoFirst } from './step/compensation.js';
import { stepNameSchema } from './step/step-options.js';
import { type StepRules, usualStepRules } from './step/step-rules.js';
import { validateNow } from './validate.js';
import type { Verdict } from './verdict/find-verdict.js';
import { logAttempts, tellEnded, tellLost } from './worker/attempt-events.js';
import { WorkerChildStore } from './worker/child-store.js';
import { drain } from './worker/drain.js';
import { type SharedByDrains, workerName } from './worker/drain-scope.js';
import { failedOutcome, withoutSecrets } from './worker/failed-outcome.js';
import { RecentDurations } from './worker/recent-durations.js';
import { type LostAttempt, type Recovery, recoverJobs } from './worker/recover-jobs.js';
import { withStopSignal } from './worker/stop-signal.js';
import type { DrainSummary } from './worker/summary.js';
import { unlessAborted } from './worker/unless-aborted.js';
import { Workers } from './worker/workers.js';

/** Default lease. It lets two heartbeats fail before it expires, but reveals a crash within a minute. */
const DEFAULT_LEASE_MS = 30_000;

/**
 * How long a failing recovery is retried. After a freeze, several pooled connections may be dead, and the driver's
 * single retry may get another of them.
 */
const RECOVERY_RETRY_MS = 1_000;

/**
 * Time limit of the first try of a recovery; later tries get more. Recovery takes milliseconds, or seconds for
 * thousands of jobs. A dead connection must not hold up work.
 */
const RECOVERY_TRY_MS = 5_000;

/**
 * How long a tick of the scheduler works on operations on many jobs, and how long before the tick's deadline it stops that
 * work.
 */
const OPERATIONS_MS = 30_000;
const BEFORE_DEADLINE_MS = 5_000;

/** How often a scheduler searches for steps of removed jobs. */
const SWEEP_EVERY_MS = 60 * 60 * 1000;

export interface RemoteProcessorOptions<Jobs extends JobsByName = JobsByName> {
  /** A Db of a replica set, from the mongodb driver 6 or 7. Mongoose's `connection.db` is one. */
  readonly db: AnyDb;
  /**
   * Prefix of our collections' names. Processors with different prefixes share nothing. Default `'remoteProcessor.'`.
   * Use `''` for the names that versions without prefixes used. With any prefix except the default, every method
   * refuses collections that hold documents of another application (ForeignDocumentsError).
   */
  readonly collectionPrefix?: string;
  /** Name in logs and leases. Default `'root'`. */
  readonly name?: string;
  /** How many jobs run at a time, 1 to 1000. Default: the number of CPUs. */
  readonly maxThreads?: number;
  /** Limits the worker to these queues. Default: all. */
  readonly queues?: readonly string[];
  /** Limits the worker further, by any MongoDB filter on job documents. Never build it from user input. */
  readonly jobQuery?: Filter<JobDocument>;
  /** How long a crashed worker's jobs wait before they are recovered. At least 1 s, default 30 s. */
  readonly lease?: Duration;
  /** Formats a job's errors for `getJobErrors`. */
  readonly formatJobError?: JobErrorFormatter;
  /**
   * Asks for workers when jobs were queued by adding, retrying, changing or resuming, or by a schedule. Called once for
   * all jobs that one call queues, and awaited for up to 3 seconds. Its errors are logged. On Lambda, use `createKick`
   * of `remote-processor/lambda`. Default: none, so jobs wait until a worker looks for them.
   */
  readonly kick?: Kick;
  /**
   * The kinds of jobs by name. TypeScript then knows their names and inputs. Give job factories, or contracts for kinds whose
   * code is elsewhere. Each key is the name in the job's definition. The first call that uses the database registers them.
   * Default: none, so any name is accepted.
   */
  readonly jobs?: Jobs;
  /** Address and secrets for the links of `step.callback`. Default: none, so `step.callback` throws. */
  readonly callbacks?: CallbacksOptions | undefined;
  /** The webhook that `tellVerdict` sends changes of the verdict to. Default: none. */
  readonly alerts?: AlertsOptions | undefined;
  /** Default: JSON lines on standard output, from `info`. Adding jobs is not logged. */
  readonly log?: Logger;
}

/** When `drain` stops. By default, it stops when no job is due. */
export interface DrainOptions {
  /** Deadline by which everything is settled or given back. */
  readonly deadline?: Date | undefined;
  /** How long before the deadline the drain stops. Default: 10 s or a tenth of the available time, whichever is smaller. */
  readonly margin?: Duration | undefined;
  /** Stops the drain at once. */
  readonly signal?: AbortSignal;
  /**
   * How long an idle drain waits for a job known to become due in that time. It runs the job as soon as it is due. A job that
   * becomes due while others run also begins at once. Default 0, which does neither.
   */
  readonly linger?: Duration | undefined;
  /**
   * Waits only if no other worker of a processor with this name waits with this option. The drain is not counted as a worker
   * while it waits. Default false.
   */
  readonly lingersAlone?: boolean;
  /**
   * How often to look for new jobs while jobs run and slots are free, or while waiting. Default: only when a job ends.
   */
  readonly pollInterval?: Duration;
  /**
   * Claims no more jobs once a job has gone on after it was told to stop, so that the process can end. On Lambda, the process
   * would be frozen with that job. The job would go on in the middle of the next invocation. Default false.
   */
  readonly stopWhenAbandoned?: boolean;
}

/** Options of `waitFor`. */
export interface WaitOptions<Output = unknown> {
  /** Factory or contract of the job, which types its output. The job's kind is not checked. */
  readonly job?: JobContract<unknown, Output> | undefined;
  /** Maximum time to wait. Default: until the job is settled. */
  readonly timeout?: Duration | undefined;
  /** Ends the waiting, but not the job. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `signal`. */
export interface SignalSent extends CallerOptions {
  /** Id chosen by the sender, so that the signal may be sent again. A job remembers its last 200 ids. */
  readonly signalId?: string;
}

/** Options of `removeJobs`. */
export interface RemoveJobsOptions {
  /** Removes only jobs that settled at least this long ago. Default: removes all. */
  readonly olderThan?: Duration | undefined;
  /** No batch begins after this moment. */
  readonly deadline?: Date | undefined;
  /** No batch begins once this signal has fired. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `scheduleDueItems`. */
export interface ScheduleOptions {
  /**
   * How far ahead jobs are made for occurrences, to run at their exact moment. Set it to the time until the next call. Default
   * 0.
   */
  readonly ahead?: Duration;
  /** When the call must end. The next call makes the remaining jobs. */
  readonly deadline?: Date;
}

/**
 * Adds, reads and cancels jobs, runs them, and makes the jobs of due scheduler items. Keeps no connection or timer of its own.
 * Several processes and several objects may share a database.
 *
 * @example const processor = new RemoteProcessor({ db }); await processor.addJobFactory(echo); const id = await
 * processor.addJob('echo', { foo: 'bar' }); await processor.processNextJob(); await processor.getJobResult(id); // { foo: 'bar'
 * }
 */
export class RemoteProcessor<out Kinds extends JobsByName = JobsByName> extends FormerNames {
  /** Adds jobs and returns the outcome. Lists, counts and changes jobs, and reads their logs. */
  readonly jobs: Jobs<Kinds>;
  /** The kinds of jobs that can be added by name. */
  readonly factories: Factories;
  readonly queues: Queues;
  /** The limits on how many jobs run at a time and start in a period: lists, settings, pauses. */
  readonly limits: Limits;
  /** Lists, previews and extra runs of scheduler items. */
  readonly schedules: Schedules;
  readonly statistics: Statistics;
  /** Marks of moments, such as deployments. The dashboard draws them into its charts. */
  readonly marks: Marks;
  /** Changes of all jobs that match a filter, however many. They show their progress, and can be stopped and undone. */
  readonly operations: Operations;
  /**
   * Groups of failed attempts with the same cause. Each tells since when it exists, how often it occurred, and how many jobs
   * are in `error` with it now.
   */
  readonly failures: Failures<StartOptions, OperationInfo>;
  /** Batches of jobs: lists, results, cancelling, retrying. */
  readonly batches: Batches;
  /** Jobs that wait for each other: lists, outputs, cancelling, retrying. */
  readonly workflows: Workflows;
  /** The worker invocations under way. */
  readonly workers: Workers;
  /** The audit log: who changed what, when and from where. */
  readonly audit: Audit;
  readonly name: string;
  readonly maxThreads: number;
  readonly collectionPrefix: string;
  protected readonly log: Logger;
  protected readonly db: Db;
  readonly #connection: Connection;
  readonly #collections: Collections;
  readonly #registry: JobRegistry;
  readonly #openQueues: OpenQueues;
  readonly #entrance: Entrance;
  readonly #worker: SharedByDrains;
  readonly #tally: Tally;
  readonly #events: Events;
  /** Tells workers in this process about queued jobs. Tells workers elsewhere by the kick. @internal */
  protected readonly jobsReady: ReadySignal;
  readonly #formatJobError: JobErrorFormatter;
  readonly #callbacks: Callbacks | undefined;
  readonly #alertsOptions: AlertsOptions | undefined;
  #alerts: Promise<Alerts> | undefined;
  #onDrainGoesOn: () => void = () => {};
  #stepRules = usualStepRules;
  #sweepsAt = 0;
  readonly #hourRollUp: HourRollUp;
  readonly #operationHooks: OperationHooks;
  readonly #adding: GroupAdding;

  /** @throws ValidationError listing every invalid option */
  constructor(options: RemoteProcessorOptions<Kinds>) {
    super();
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
    const callbacks = valid.callbacks && new Callbacks(valid.callbacks);
    this.#callbacks = callbacks;
    this.#alertsOptions = valid.alerts;
    const events = new Events(log);
    this.#events = events;
    this.#registry = new JobRegistry(this.#collections.jobFactories, valid.jobs, log, events);
    this.#openQueues = new OpenQueues(this.#collections);
    const claimFilter = () => ({
      jobNames: this.#registry.names,
      ...(this.#registry.inTurns.length > 0 && { inTurns: this.#registry.inTurns }),
      ...(queues && { queues }),
      ...(jobQuery && { jobQuery }),
    });
    this.jobsReady = new ReadySignal(kick, events, log);
    const failures = new FailureTally(this.#collections.failures, log);
    this.#tally = new Tally(this.#collections.statistics, log, () => failures.write());
    events.onSafely('attemptEnded', (ended) => {
      this.#tally.countAttempt(ended);
      failures.count(ended);
    });
    events.onSafely('jobWaited', (waited) => this.#tally.countWait(waited));
    logAttempts(events, log);
    const factory = (jobName: string) => this.#registry.get(jobName);
    const settings = new LimitSettings(this.#collections.limits);
    const lines = new Lines({
      collections: this.#collections,
      rulesOf: (jobName) => factory(jobName)?.flow,
      pausedQueues: () => this.#openQueues.pausedNow(),
      settings,
      leaseMs: lease,
      events,
    });
    this.#entrance = new Entrance({ collections: this.#collections, lines, log });
    const breakers = new Breakers({
      collections: this.#collections,
      rulesOf: (jobName) => factory(jobName)?.breaker,
      leaseMs: lease,
      events,
      log,
    });
    const adding: GroupAdding = {
      addable: (kind, callerRole) => this.#registry.find(kind, callerRole),
      schemasOf: (kind) => this.#registry.schemasOf(kind),
      check: (jobs, callerRole) => checkJobs(this.#registry, jobs, callerRole),
      add: (checked, patience, session) => this.#addChecked(checked, patience, session),
    };
    this.#adding = adding;
    const groups = new Groups({
      collections: this.#collections,
      events,
      tell: (jobs) => this.jobsReady.tell(jobs),
      passOn: (freed) => this.#passOn(freed),
      log,
    });
    this.#worker = {
      groups,
      children: new WorkerChildStore({
        collections: this.#collections,
        leaseMs: lease,
        adding,
        passOn: (freed) => this.#passOn(freed),
        tellQueued: () => this.kick(),
      }),
      gate: new Gate({
        takesTurns: () => this.#registry.inTurns.length > 0,
        collections: this.#collections,
        factory,
        lines,
        settings,
        breakers,
        events,
        log,
      }),
      breakers,
      lines,
      client: db.client,
      jobs: this.#collections.jobs,
      jobSteps: this.#collections.jobSteps,
      workers: this.#collections.workers,
      processor: this,
      factory,
      claimFilter,
      claimable: async () => {
        const filter = claimFilter();
        const open = await this.#openQueues.among(queues);
        const jobNames = await breakers.closed(filter.jobNames);
        return { ...filter, jobNames, ...(open && { queues: open }) };
      },
      aloneFilter: () => this.#aloneFilter(claimFilter()),
      recoverLost: () => this.#recoverLost(),
      name,
      leaseMs: lease,
      durations: new RecentDurations(),
      events,
      middlewares: this.#registry.middlewares,
      callbackUrl: (jobId, step, run) => {
        if (callbacks) return callbacks.urlOf({ jobId, step, run });
        throw new ConflictError(jobId, NO_CALLBACKS);
      },
      stepRules: () => this.#stepRules,
      jobsReady: this.jobsReady,
      onGoesOn: () => this.#onDrainGoesOn(),
      log,
    };
    const collections = () => this.#connected();
    const askForWorkers = () => this.kick();
    const onResumed = async () => {
      await this.#tellUnblocked(lines.unblockAll());
      await this.kick();
    };
    const claims = {
      claimFilter,
      claimable: this.#worker.claimable,
      openQueues: () => this.#openQueues.among(undefined),
    };
    this.jobs = new Jobs(
      collections,
      claims,
      this.#registry,
      askForWorkers,
      {
        one: (job, input, given) => this.#add(job, input, given, true),
        many: (jobs, given) => this.#addMany(jobs, given, true),
      },
      {
        freeing: (freed) => this.#passOn(freed),
        cancelling: (cancelled) => groups.afterSettling(cancelled),
        retrying: {
          before: (found) => groups.beforeRetrying(found),
          after: (retried) => groups.afterRetrying(retried),
        },
      },
      async (id, filter) => listTree((await collections()).jobs, id, filter),
    );
    this.factories = new Factories(collections, this.#registry);
    this.queues = new Queues(collections, this.#openQueues, onResumed);
    this.limits = new Limits(collections, settings, lines, breakers, async (unblocked) => {
      await this.jobsReady.tell(unblocked);
      await this.#tally.write(); // In a process that runs no jobs, nobody else does.
    });
    this.schedules = new Schedules(db, collections, this.#registry, askForWorkers);
    this.statistics = new Statistics(db, collections);
    this.#hourRollUp = new HourRollUp(db, collections, log);
    this.marks = new Marks(db, collections);
    this.#operationHooks = {
      freeing: (freed) => this.#passOn(freed),
      cancelling: (settled) => groups.afterSettling(settled),
      beforeRetrying: (found) => groups.beforeRetrying(found),
      retrying: (retried) => groups.afterRetrying(retried),
      mayAdd: (names, role) => this.#registry.mayAdd(names, role),
    };
    this.operations = new Operations(collections, this.#operationHooks, askForWorkers);
    this.failures = new Failures(collections, this.operations);
    const mayAddAll = async (kinds: readonly string[], role: Role | undefined) => {
      for (const kind of kinds) await this.#registry.requireMayAdd(() => kind, role);
    };
    this.batches = new Batches('batch', collections, groups, askForWorkers, mayAddAll);
    this.workflows = new Workflows('workflow', collections, groups, askForWorkers, mayAddAll);
    this.workers = new Workers(collections);
    this.audit = new Audit(collections);
  }

  /** The names of jobs whose code is registered here. @internal */
  protected get jobNames(): readonly string[] {
    return this.#registry.names;
  }

  /** Stores all registered kinds of jobs again, for a database that was replaced by an empty one. @internal */
  protected storeJobFactoriesAgain(): Promise<void> {
    return this.#registry.storeAgain();
  }

  /** Calls `listener` whenever a drain has looked for work and waits. That shows that the drain is not stuck. @internal */
  protected onDrainGoesOn(listener: () => void): void {
    this.#onDrainGoesOn = listener;
  }

  /** Changes the rules for the steps of all jobs. @internal */
  protected setStepRules(rules: StepRules): void {
    this.#stepRules = rules;
  }

  /** Returns the connected collections for the HTTP API. @internal */
  [connectedCollections](): Promise<Collections> {
    return this.#connected();
  }

  /** Returns what makes and reads the links of callbacks, for the HTTP API. @internal */
  [callbackLinks](): Callbacks | undefined {
    return this.#callbacks;
  }

  /**
   * Calls `listener` at each event of this name from now on. Returns a function that removes the listener. An event is emitted
   * after the write that makes it true, by the process that wrote. Nothing waits for the listener. The listener's errors are
   * logged.
   *
   * Two kinds of jobs emit neither `jobAdded` nor `jobsReady`: a job added in a transaction of the caller, and a job whose id
   * or unique key already exists. A waiting job that is replaced emits only `jobsReady`. If a worker crashed, the process that
   * recovers its jobs emits their events.
   *
   * @throws ValidationError for an unknown name
   * @example processor.on('jobSettled', ({ jobId, status }) => { if (status === 'error') alert(jobId); });
   */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    validateNow(listenSchema, { name, listener }, 'The call of on');
    return this.#events.on(name, listener);
  }

  /**
   * Adds middleware around adding jobs or around their functions. The first one added is the outermost. Each middleware calls
   * `next` once, and awaits it to see how the inner part ended. An error before `next` refuses the job or fails the attempt. An
   * inner error is passed on, unless the middleware throws another. See docs/extending.md.
   *
   * `add` is called around each job that this processor adds, including the jobs of scheduler items. It may change `queue`,
   * `priority`, `maxRetries`, `retryDelay` and `metadata`. It may take as long as the `patience` of the add, or 3 seconds for a
   * scheduler item. A refused job of a scheduler item is tried again in the next tick.
   *
   * `run` is called around the function of each job that a drain runs, within the job's timeout. `next` throws JobSuspended if
   * the attempt ends between two steps, which is no failure.
   *
   * `step` is called around each try of a step. An error before `next` fails the try. A later one is only added to the job's
   * log, because the step is stored.
   *
   * @throws ValidationError for invalid middleware
   * @example processor.use({ add: async (job, next) => { job.metadata.tenant = currentTenant(); await next(); }, run: async ({
   * metadata }, next) => { await inTenant(metadata.tenant, next); }, });
   */
  use(middleware: Middleware): void {
    this.#registry.middlewares.use(validateNow(middlewareSchema, middleware, 'The call of use'));
  }

  /**
   * Makes missing indexes and drops those of earlier versions. Call it once per deployment, not at each start of a function.
   *
   * Logs a warning if documents of a version without prefixes are left behind. See `collectionPrefix`.
   *
   * Safe beside open transactions. It waits for them, but holds up others for at most a second. If an index takes longer than
   * the client's `socketTimeoutMS`, the call fails, but the build goes on.
   *
   * @throws ValidationError for invalid options
   * @throws ForeignDocumentsError if a collection holds documents of another application. Nothing is made or dropped then
   * @throws DuplicateValueError if unique values occur twice. All other indexes are made then
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
   * Registers a kind of job. This processor can then add and run such jobs, and processes without their code can add
   * them by name. Give a name first to register the kind under another name than its own.
   *
   * @throws ValidationError for a bad name or factory, before anything is registered
   */
  async addJobFactory(...args: [factory: JobFactory] | [name: string, factory: JobFactory]): Promise<void> {
    await this.#register([readRegistration(args)]);
  }

  /**
   * Registers several kinds of jobs, with one or two commands for all. In an object, each key is the name in the job's
   * definition.
   *
   * @throws ValidationError for a bad name or factory, before anything is registered
   */
  async addJobFactories(
    factories: Readonly<Record<string, JobFactory>> | readonly JobFactory[],
  ): Promise<void> {
    await this.#register(readRegistrations(factories));
  }

  /**
   * Returns the first 1000 kinds of jobs that can be added by name, whichever process registered them. `factories.list` returns
   * more.
   */
  async getJobFactories(): Promise<Record<string, JobFactoryInfo>> {
    const { jobFactories } = await this.factories.list({ limit: 1000 });
    return Object.fromEntries(jobFactories.map((info) => [info.name, info]));
  }

  /**
   * Adds a job and returns its id. The input is checked here and stored as given. If the database fails, adding is
   * repeated for 13 s (`patience`), except in a transaction. If that fails too, it is unknown whether the job was
   * stored. Once the job is added, `kick` asks for a worker. In a transaction, call `kick()` yourself after the commit.
   *
   * @param job a name, a factory (which types the input), or a contract (which also checks the input, even if its kind
   *   is not registered)
   * @throws UnknownJobNameError, ForbiddenError for a `callerRole` below the factory's `addRole`, ValidationError, or
   *   ConflictError for an `id` that another job has. Nothing is written then
   */
  async addJob<Job extends (keyof Kinds & string) | JobContract>(
    job: Job,
    ...args: AddArguments<Kinds, Job>
  ): Promise<string>;
  async addJob(job: string | JobContract, input?: unknown, options?: AddJobOptions): Promise<string> {
    return (await this.#add(job, input, options)).id;
  }

  /**
   * Adds many jobs, each given by `name` or by `job` (its factory or contract), as `addJob` would. Returns their ids in
   * the same order. Uses commands of up to 2000 jobs, so a crash in between may add only some of them. Pass ids to
   * repeat the call safely, or use a transaction.
   *
   * @param options as in `AddJobOptions`
   * @throws UnknownJobNameError, ForbiddenError, or ValidationError with paths that begin with the index. Nothing is
   *   written then
   * @throws ConflictError for an `id` that another job has. The others may be written
   */
  async addJobs<Inputs extends readonly unknown[], Named extends JobsByName = Kinds>(
    jobs: JobsToAdd<NoInfer<Named>, Inputs>,
    options?: AddJobsOptions,
  ): Promise<string[]>;
  async addJobs(jobs: readonly AnyJobToAdd[], options?: AddJobsOptions): Promise<string[]> {
    return (await this.#addMany(jobs, options)).map(({ id }) => id);
  }

  /**
   * Adds a batch: up to 100,000 jobs that are watched together, and a job that runs once after all of them. The jobs may run
   * while others are still being added. Uses commands of up to 2,000 jobs. After an error or a crash, repeat the call with the
   * same `id` and jobs. The call continues where it ended.
   *
   * The id of each job is the id of the batch, a dot and the job's number with six digits. The jobs have no unique keys.
   *
   * @throws UnknownJobNameError, ForbiddenError, or ValidationError with paths that begin with the index, or with `then`.
   * Nothing is written then
   * @throws ConflictError for an `id` of a batch with other jobs
   * @example await processor.addBatch(rows.map((row) => ({ job: load, input: row })), { id: 'import-7', then: { job: report,
   * input: 7 } });
   */
  async addBatch<Inputs extends readonly unknown[], Then, Named extends JobsByName = Kinds>(
    jobs: JobsToAdd<NoInfer<Named>, Inputs>,
    options?: AddBatchOptions<NamedJobToAdd<NoInfer<Named>> | TypedJobToAdd<Then>>,
  ): Promise<AddedGroup>;
  async addBatch(jobs: readonly AnyJobToAdd[], options: AddBatchOptions = {}): Promise<AddedGroup> {
    const added = await addBatch(await this.#connected(), this.#adding, jobs, options);
    if (added.outcome === 'added') await this.#worker.groups.lookAt(groupOf('batch', added.id));
    return added;
  }

  /**
   * Adds a workflow: up to 1,000 named jobs that wait for each other. Adds all in one transaction. With `resultOf` in its
   * input, a job gets the result of another, and waits for it. When a job fails for good, the jobs that wait for it go on
   * waiting until it is retried. With `when: 'settled'`, they run.
   *
   * The id of each job is the id of the workflow, a dot and the job's name.
   *
   * @throws UnknownJobNameError, ForbiddenError, or ValidationError, also for circles, unknown names, and results whose schema
   * does not fit the input. Nothing is written then
   * @throws ConflictError for an `id` of another workflow
   * @example await processor.addWorkflow({ id: `nightly-${day}`, jobs: { extract: { job: extract, input: { day } }, load: {
   * job: load, input: { rows: resultOf('extract', 'rows') } }, report: { job: report, after: ['load'] }, }, });
   */
  async addWorkflow<Inputs, Named extends JobsByName = Kinds>(
    workflow: Workflow<WorkflowJobs<NoInfer<Named>, Inputs>>,
  ): Promise<AddedGroup>;
  async addWorkflow(workflow: Workflow): Promise<AddedGroup> {
    const added = await addWorkflow(await this.#connected(), this.#adding, workflow);
    await this.kick();
    return added;
  }

  /**
   * Asks for workers, as adding a job does. Call it after committing a transaction that added jobs. Also call it after
   * committing a transaction that completed a job with limits (`completeJob`). It then passes the job's places on at once.
   * Without the option `kick`, it wakes only the workers of this process. Never rejects.
   */
  async kick(): Promise<void> {
    await this.jobsReady.tell([someJob, ...(await this.#entrance.openAll())]);
  }

  /**
   * Changes a queued job: when it runs, its priority, its queue, its retries.
   *
   * @param options `callerRole` as in `AddJobOptions`
   * @throws ValidationError, NotFoundError, ForbiddenError, or ConflictError if the job is not queued. Nothing is
   *   written then
   */
  async updateJob(id: string, changes: JobChanges, options: CallerOptions = {}): Promise<void> {
    const { runAt, delay, ...rest } = validateNow(jobChangesSchema, changes, 'The call of updateJob');
    await this.#requireMayHave(id, options, 'The call of updateJob');
    const moment = runAt ?? delay;
    const { jobs } = await this.#connected();
    const before = await updateQueuedJob(jobs, id, { ...rest, runAt: moment });
    if (moment !== undefined) await this.#passOn([before]);
    // It may have been passed over, because its queue was paused.
    else if (rest.queue !== undefined && before.blockedBy !== undefined)
      await this.#tellUnblocked(this.#worker.lines.unblock([before.blockedBy]));
    if (moment !== undefined || rest.queue !== undefined)
      await this.jobsReady.tell([{ runAt: moment ?? someJob.runAt }]);
  }

  /** Returns the job with this id, or undefined. */
  async getJob(id: string): Promise<Job | undefined> {
    return findJob((await this.#connected()).jobs, id);
  }

  /** Returns the first page of `jobs.list`, oldest first by default. @throws ValidationError as in `jobs.list` */
  async getJobs(filter?: JobsFilter): Promise<Job[]> {
    return (await this.jobs.list({ ...filter, order: filter?.order ?? 'oldest' })).jobs;
  }

  /** Returns the status of a job. @throws NotFoundError */
  async getJobStatus(id: string): Promise<JobStatus> {
    return (await requireJob((await this.#connected()).jobs, id)).status;
  }

  /**
   * Returns the output of a job, or null until it is completed.
   *
   * @param _job factory or contract of the job, which types its output. The job's kind is not checked
   * @throws NotFoundError
   */
  async getJobResult<Output = unknown>(
    id: string,
    _job?: JobContract<unknown, Output>,
  ): Promise<Output | null>;
  async getJobResult(id: string): Promise<unknown> {
    const { status, output } = await requireJob((await this.#connected()).jobs, id);
    return status === 'completed' ? (output ?? null) : null;
  }

  /**
   * Waits until the job is settled, and returns it. Reads the job by its id at growing intervals, from 50 ms to a
   * second.
   *
   * @throws NotFoundError, also if the job was removed meanwhile or is not kept (`retention`)
   * @throws WaitTimeoutError, or the signal's reason
   * @example
   * const { status, output } = await processor.waitFor(id, { job: greet, timeout: '10s' });
   */
  async waitFor<Output = unknown>(id: string, options?: WaitOptions<Output>): Promise<SettledJob<Output>>;
  async waitFor(id: string, options: WaitOptions = {}): Promise<SettledJob> {
    const { timeout, signal } = validateNow(waitOptionsSchema, options, 'The call of waitFor');
    return waitForJob(id, () => this.getJob(id), { waitMs: timeout, signal });
  }

  /** Returns the job's errors as texts, oldest first. `getJob(id).errors` has them as objects. @throws NotFoundError */
  async getJobErrors(id: string): Promise<string[]> {
    const { errors } = await requireJob((await this.#connected()).jobs, id);
    return errors.map(this.#formatJobError);
  }

  /**
   * Cancels a queued job at once, and asks a running one to stop. The attempt of a running job ends as `cancelled` in
   * any case.
   *
   * @returns `cancelled`, or `processing` if a running job was asked to stop
   * @throws NotFoundError, or ConflictError if the job is already settled
   */
  async cancelJob(id: string): Promise<JobStatus> {
    const cancelled = await cancelJob((await this.#connected()).jobs, id);
    const { status } = cancelled;
    if (status === 'cancelled' && this.#events.isHeard('jobSettled'))
      this.#events.tell('jobSettled', { jobId: id, status });
    if (status === 'cancelled') {
      await this.#passOn([cancelled]);
      await this.#worker.groups.afterSettling([{ ...cancelled, id, status }]);
    }
    return status;
  }

  /**
   * Queues a job again that ended in `error` or `cancelled`. The job keeps its counter and errors, and `maxRetries`
   * goes up by one. It takes its unique key again. A job that was delayed when it was cancelled keeps its `runAt`.
   *
   * @param options `callerRole` as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, or ConflictError if the job has another status or its unique key is taken
   */
  async retryJob(id: string, options: CallerOptions = {}): Promise<void> {
    await this.#requireMayHave(id, options, 'The call of retryJob');
    const retried = await retryJob(await this.#connected(), id, (found) =>
      this.#worker.groups.beforeRetrying([found]),
    );
    await this.#worker.groups.afterRetrying([retried]);
    await this.kick();
  }

  /**
   * Removes settled jobs, oldest first, 1,000 at a time. Returns how many were removed per status, with `more: true` if
   * it stopped early.
   *
   * @param statuses default: `cancelled`, `completed` and `error`
   * @param options with `olderThan`, only removes jobs that settled at least this long ago. No batch begins after
   *   `deadline` or once `signal` has fired. Default: removes all
   * @throws ValidationError for `queued` and `processing`, because only settled jobs can be removed
   */
  async removeJobs(
    statuses: readonly SettledStatus[] = settledStatuses,
    options: RemoveJobsOptions = {},
  ): Promise<RemovedCounts> {
    const valid = validateNow(removeJobsSchema, { statuses, ...options }, 'The call of removeJobs');
    const { olderThan: olderThanMs, deadline, signal } = valid;
    const mustStop = () =>
      signal?.aborted === true || (deadline !== undefined && Date.now() >= deadline.getTime());
    const onFreed = (jobs: readonly SlotHolder[]) => this.#passOn(jobs);
    const { jobs } = await this.#connected();
    return removeJobs(jobs, { statuses: valid.statuses, olderThanMs, mustStop, onFreed });
  }

  /**
   * Removes a settled job, and the jobs that its steps added. A job that was made ahead cannot be removed before its occurrence
   * is due.
   *
   * @throws NotFoundError, or ConflictError if the job is not settled, was made ahead, or belongs to another job, a batch or a
   * workflow
   */
  async removeJob(id: string): Promise<void> {
    const collections = await this.#connected();
    const { jobs } = collections;
    // Somebody removes the jobs that it added, in case that this process dies before it has.
    await lookSoon(collections, [jobKey(String(id))]);
    const removed = await removeJob(jobs, id);
    if (removed.status === 'error') await this.#passOn([removed]);
    if (removed.steps?.children) await removeDescendants(jobs, id);
  }

  /**
   * Sends a signal to a job. A step of the job takes it with `step.waitForSignal`. A job that waits for the signal goes on. An
   * early signal is kept. A job keeps up to 100 signals that no step has taken.
   *
   * @param payload value of at most 64 KB
   * @param options `callerRole` as in `AddJobOptions`
   * @returns `duplicate` if a signal with the same `signalId` was sent to the job before. Nothing is changed then
   * @throws NotFoundError, ConflictError if the job is settled or has too many signals, ForbiddenError, or ValidationError.
   * Nothing is changed then
   * @example await processor.signal(orderId, 'paid', { amount: 12 }, { signalId: event.id });
   */
  async signal(
    jobId: string,
    name: string,
    payload?: unknown,
    { callerRole, ...options }: SignalSent = {},
  ): Promise<SentSignal> {
    const subject = 'The call of signal';
    const valid = validateNow(signalSchema, { name, ...options }, subject);
    await this.#requireMayHave(jobId, { callerRole }, subject);
    const { jobs } = await this.#connected();
    const { outcome, woken } = await sendSignal(jobs, jobId, { ...valid, payload });
    await this.jobsReady.tell(woken);
    return { outcome };
  }

  /**
   * Claims the next due job for the caller to run, or returns undefined. Settle it with `completeJob` or `failJob`.
   * Otherwise it is recovered once its lease has expired.
   */
  async pullNextJob(): Promise<ClaimedJob | undefined> {
    const { jobs } = await this.#connected();
    const { name, leaseMs, claimable, aloneFilter, gate } = this.#worker;
    const lease = { token: randomUUID(), worker: workerName(name), leaseMs };
    const giveBack = (job: ClaimedJob) => settleJobs(jobs, [settlementOf(job, unbegun)]);
    for (;;) {
      const [claimed] = await claimJobs(jobs, await claimable(), lease, 1);
      const [job] = claimed ? [claimed] : await claimJobAlone(jobs, await aloneFilter(), lease);
      if (!job) return undefined;
      const { admitted, requeued } = await gate.admit([job], 1, giveBack);
      await this.jobsReady.tell(requeued);
      if (admitted[0]) return admitted[0];
    }
  }

  /**
   * Settles a job of `pullNextJob` as completed. Settling it again with the same token changes nothing and returns its current
   * status.
   *
   * With a session, the output and your writes with that session are stored together or not at all. No event is then emitted
   * for the job, and statistics do not count it, since this package cannot know whether you commit.
   *
   * @returns its new status, which is `cancelled` if cancelling was requested
   * @throws ValidationError for an output that the factory refuses, or ConflictError if the lease was lost
   * @throws the driver's errors in a transaction. A conflict with another one ends it
   */
  async completeJob(
    job: ClaimedJob,
    output?: unknown,
    options: { readonly session?: AnySession } = {},
  ): Promise<JobStatus> {
    const { session } = validateNow(completeJobSchema, options, 'The call of completeJob');
    const factory = this.#registry.get(job.jobName);
    const parsed = factory ? await factory.parseOutput(output) : output;
    const { value, bytes } = toOutput(parsed, job.jobName);
    const outcome = { kind: 'completed', output: value, outputBytes: bytes } as const;
    if (!session) return this.#settle(job, outcome);
    const { jobs } = await this.#connected();
    const settledAs = await settleInSession(jobs, settlementOf(job, outcome), session);
    const freed = freedSlots(job, outcome, settledAs).map(({ key }) => key);
    this.#entrance.openLater([], freed);
    if (settledAs !== 'stale') return settledAs;
    throw new ConflictError(job.id, leaseLost(job.id));
  }

  /**
   * Settles a job of `pullNextJob` as failed. A RemoteException leads to `error`. Otherwise the job is queued again while
   * attempts are left. A job with steps to undo is first queued to undo them. Settling it again with the same token changes
   * nothing and returns its current status.
   *
   * @returns its new status
   * @throws ConflictError if the lease was lost
   */
  async failJob(job: ClaimedJob, error: unknown): Promise<JobStatus> {
    const factory = this.#registry.get(job.jobName);
    const outcome = withoutSecrets(failedOutcome(error, job, factory), factory, job);
    const { undo, version = factory?.version ?? 1 } = job.steps ?? {};
    if (undo !== 'possible' || !isForGood(outcome, job)) return this.#settle(job, outcome);
    return this.#settle(
      job,
      undoFirst(outcome.failure, (steps) => ({ steps, version })),
    );
  }

  /**
   * Runs the next due job, if there is one. Returns whether a job was run, however it ended. Never throws a job's
   * error. If no job is due, recovers jobs of crashed workers and looks once more.
   */
  async processNextJob(): Promise<boolean> {
    const wasRun = (await this.#runOne(false)) || (await this.#runLostOne());
    // Writing the counts after each job would add half to its cost.
    await (wasRun ? this.#tally.writeIfDue() : this.#tally.write());
    return wasRun;
  }

  /** Calls `processNextJob` until no job is due. Returns how many were run. */
  async processJobs(): Promise<number> {
    let count = 0;
    while (await this.processNextJob()) count += 1;
    return count;
  }

  /**
   * Does the work of a worker invocation. It begins by recovering jobs of crashed workers, and continues if that fails. Then it
   * claims due jobs and runs them, `maxThreads` at a time, until none is due or it must stop. At the end it gives back
   * unfinished jobs.
   *
   * @returns counts of what it did
   * @throws ValidationError, and the driver's errors if no job at all can be claimed
   */
  async drain(options: DrainOptions = {}): Promise<DrainSummary> {
    const { deadline, margin, signal, linger, lingersAlone, pollInterval, stopWhenAbandoned } = validateNow(
      drainOptionsSchema,
      options,
      'The call of drain',
    );
    return withStopSignal({ deadline, marginMs: margin, signal }, async (stopSignal) => {
      await unlessAborted(stopSignal.stop, this.#connected());
      // Also done if told to stop at once, because this drain may be all that recovers jobs of crashed workers.
      const runsAlone = (await unlessAborted(stopSignal.end, this.#worker.recoverLost())) ?? false;
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
   * Ends attempts whose leases have expired, because their workers crashed or were cut off. Returns their number.
   * `drain` and `scheduleDueItems` begin with this.
   */
  async recoverJobs(): Promise<number> {
    const recovery = await this.#recover();
    await this.jobsReady.tell(queuedBy(recovery));
    return recovery.lost.length;
  }

  /**
   * Judges the state of the deployment: kinds of jobs that fail, due jobs that nobody claims, lost jobs, late schedules, paused
   * queues with jobs, and limits that stand still. Costs about 11 commands, each of which reads a bounded part of an index.
   *
   * A kind of jobs is failing if two conditions hold. In the last 15 minutes, at least 5 attempts failed. These were most of
   * the attempts, or twice the share of the last day. Workers write their counts up to a minute late.
   *
   * @throws IndexMissingError if the indexes were not made
   * @example const { isWell, findings } = await processor.verdict(); if (!isWell) console.log(findings.map(({ text }) =>
   * text));
   */
  async verdict(): Promise<Verdict> {
    const { findVerdict } = await import('./verdict/find-verdict.js');
    return findVerdict(this.db, await this.#connected());
  }

  /**
   * Sends changes of the verdict to the webhook of the option `alerts`. All callers together send at most once a minute. The
   * scheduler on Lambda and `startScheduler` call it. Does nothing without that option.
   *
   * A finding is told once two calls in a row have seen it. It is told again if a warning becomes a failure. Its end is told
   * once five calls in a row have missed it. Each change is sent at most once. It is lost if the process ends at that moment,
   * or if the receiver cannot be reached. Takes up to 35 s if the receiver does not answer.
   *
   * @returns how many changes were sent. Never rejects: errors are logged
   */
  async tellVerdict(): Promise<number> {
    const options = this.#alertsOptions;
    if (!options) return 0;
    this.#alerts ??= this.#loadAlerts(options);
    return (await this.#alerts).tell();
  }

  async #loadAlerts(options: AlertsOptions): Promise<Alerts> {
    const { Alerts } = await import('./alert/alerts.js');
    const alerts = async () => (await this.#connected()).alerts;
    return new Alerts({ name: this.name, options, alerts, judge: () => this.verdict(), log: this.log });
  }

  /** Removes steps of removed jobs, once an hour. Nothing depends on it. */
  async #sweepStepPages(): Promise<void> {
    if (performance.now() < this.#sweepsAt) return;
    this.#sweepsAt = performance.now() + SWEEP_EVERY_MS;
    const { jobs, jobSteps } = await this.#connected();
    try {
      await sweepPages(jobs, jobSteps);
    } catch (error) {
      this.log.warn('Steps of jobs that are gone could not be removed', { error: String(error) });
    }
  }

  async #recover(): Promise<Recovery & { readonly unblocked: readonly QueuedJob[] }> {
    const recover = async () => recoverJobs(await this.#connected());
    const recovery = await retryWhileUnreachable(RECOVERY_RETRY_MS, recover, RECOVERY_TRY_MS);
    this.#openQueues.learn(recovery.pausedQueues);
    tellLost(this.#events, recovery.lost);
    await this.#worker.groups.afterSettling(recovery.lost.flatMap(asSettled));
    if (recovery.areGroupsDue) await this.#worker.groups.check();
    const { lines } = this.#worker;
    const unblocked = [
      ...(await lines.release(recovery.lost)),
      ...(await lines.lookAfter(recovery.dueLimits)),
    ];
    return { ...recovery, unblocked };
  }

  /**
   * Adds a scheduler item and returns its id. The item makes jobs once it is active.
   *
   * @param options with the job as `jobName`, or as `job`, its factory or contract, which types the input
   * @param caller `callerRole` as in `AddJobOptions`
   * @throws ValidationError (also for an item that would never be due), UnknownJobNameError or ForbiddenError. Nothing
   *   is written then
   * @throws ConflictError if the id is taken, or a removed item of this id has a job for the first occurrence. Nothing
   *   is written then
   */
  async addScheduler<Input, Named extends JobsByName = Kinds>(
    options: NamedScheduler<NoInfer<Named>> | TypedScheduler<Input>,
    caller?: CallerOptions,
  ): Promise<string>;
  async addScheduler(
    options: SchedulerOptions | TypedScheduler<unknown>,
    caller: CallerOptions = {},
  ): Promise<string> {
    const { callerRole } = validateNow(callerOptionsSchema, caller, 'The call of addScheduler');
    const { addItem } = await scheduling();
    return addItem(this.db, await this.#connected(), this.#registry, options, callerRole);
  }

  /**
   * Changes a scheduler item and returns it. Jobs that it made ahead are withdrawn, and made again by the next call of
   * `scheduleDueItems`. Some changes affect when the item is due: `type`, `cron`, the lists, `delay`, `at`, `startAt` and, for
   * `Cron`, `timeZone`. With these, due jobs are made first, and the next occurrence is computed from now. With others, the
   * item keeps its rhythm. A new end changes only when it ends. An item that has ended stays ended until it is activated, even
   * if its end is removed.
   *
   * @param changes any option of `addScheduler` except the id. Null removes an optional one, and does nothing for a list or
   * expression that the item lacks. For `input`, null is a value
   * @param options `version` is the version of the item that the caller saw. A newer version is a conflict. Default: any.
   * `callerRole` as in `AddJobOptions`, checked for both the old and the new job
   * @throws ValidationError, UnknownJobNameError, ForbiddenError or NotFoundError. Nothing is changed then
   * @throws ConflictError if the item has a newer version, or if another transaction holds it for more than 10 s. The
   * transaction of a killed process holds it for up to a minute. Nothing is changed then
   */
  async updateScheduler(
    id: string,
    changes: SchedulerChanges,
    options: CallerOptions & { readonly version?: number | undefined } = {},
  ): Promise<SchedulerItem> {
    const valid = validateNow(updateSchedulerOptionsSchema, options, 'The call of updateScheduler');
    const { updateItem } = await scheduling();
    const item = await updateItem(this.db, await this.#connected(), this.#registry, id, changes, valid);
    await this.kick(); // Due jobs may have been made.
    return item;
  }

  /** Returns the scheduler item with this id, or undefined. */
  async getScheduler(id: string): Promise<SchedulerItem | undefined> {
    const { findItem } = await scheduling();
    return findItem((await this.#connected()).scheduler, id);
  }

  /** Returns the first page of `schedules.list`, of up to 1000 items by default. @throws ValidationError */
  async getSchedulers(filter?: SchedulersFilter): Promise<SchedulerItem[]> {
    return (await this.schedules.list({ limit: 1000, ...filter })).schedulers;
  }

  /**
   * Activates a scheduler item as of the database's now, and returns it. Leaves an active item unchanged. Also leaves an item
   * unchanged whose last job was made ahead and is not due yet.
   *
   * @param options `callerRole` as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, ValidationError if no occurrence is left, or ConflictError as in `updateScheduler`
   */
  async activateScheduler(id: string, options: CallerOptions = {}): Promise<SchedulerItem> {
    const { callerRole } = validateNow(callerOptionsSchema, options, 'The call of activateScheduler');
    const { activateItem } = await scheduling();
    return activateItem(this.db, await this.#connected(), this.#registry, id, callerRole);
  }

  /**
   * Deactivates a scheduler item and returns it. Due jobs are made first, and jobs that it made ahead are withdrawn.
   *
   * @throws NotFoundError, or ConflictError as in `updateScheduler`
   */
  async deactivateScheduler(id: string): Promise<SchedulerItem> {
    const { deactivateItem } = await scheduling();
    const item = await deactivateItem(this.db, await this.#connected(), this.#registry, id);
    await this.kick();
    return item;
  }

  /**
   * Removes a scheduler item and the jobs that it made ahead. First makes the jobs that are due now. These and all other jobs
   * of the item stay.
   *
   * @throws NotFoundError, or ConflictError as in `updateScheduler`
   */
  async removeScheduler(id: string): Promise<void> {
    const { removeItem } = await scheduling();
    await removeItem(this.db, await this.#connected(), this.#registry, id);
    await this.kick();
  }

  /**
   * Brings scheduler items in line with their declarations in code, by id. Adds new items, changes items whose
   * declaration changed, and deactivates items that the processor of this name no longer declares. Items made by hand
   * are left alone. Changes made by hand, such as `active`, stay until the declaration changes. An item removed by hand
   * is added again. An id that another processor no longer declares can be taken over.
   *
   * Two programs that declare items in one database need two names. Otherwise each deactivates the items of the other.
   * A processor with the default name logs a warning when it deactivates any.
   *
   * @returns the ids of items by what was done, without items that already were as declared
   * @throws ValidationError, also for an unknown job. Nothing is written then
   */
  async syncSchedulers(declared: readonly DeclaredScheduler[]): Promise<SchedulerSync> {
    const { syncItems } = await scheduling();
    return syncItems(this.db, await this.#connected(), this.#registry, this.name, declared, this.log);
  }

  /** Makes the job of the occurrence that has been due longest, if any. Returns the job's id, or undefined. */
  async scheduleNextJob(): Promise<string | undefined> {
    const { scheduleNextJob } = await scheduling();
    const made = await scheduleNextJob(await this.#connected(), this.#registry, this.log);
    if (made) await this.jobsReady.tell([made]);
    return made?.id;
  }

  /**
   * Does the work of a scheduler invocation: recovers jobs of crashed workers, and makes the jobs of all due occurrences.
   *
   * @returns the ids of the jobs it made
   * @throws ValidationError, and the driver's errors when the database cannot be reached
   */
  async scheduleDueItems(options: ScheduleOptions = {}): Promise<string[]> {
    const { ahead, deadline } = validateNow(scheduleOptionsSchema, options, 'The call of scheduleDueItems');
    const recovery = await this.#recover();
    await this.#tally.write();
    const tick = { aheadMs: ahead, deadline: deadline?.getTime() ?? Number.POSITIVE_INFINITY };
    const { scheduleDueItems } = await scheduling();
    const made = await scheduleDueItems(await this.#connected(), this.#registry, tick, this.log);
    const soon = await this.#queuedLongAgo(ahead);
    await this.jobsReady.tell([...queuedBy(recovery), ...made, ...soon]);
    if (recovery.areOperationsDue) await this.#goOnWithOperations(tick.deadline);
    await this.#sweepStepPages();
    await this.#hourRollUp.ifDue();
    return made.map(({ id }) => id);
  }

  /** Goes on with operations on many jobs. Only logs a failure, since the next tick tries again. */
  async #goOnWithOperations(deadline: number): Promise<void> {
    const until = Math.min(Date.now() + OPERATIONS_MS, deadline - BEFORE_DEADLINE_MS);
    try {
      const collections = await this.#connected();
      if (await workOnOperations(collections, this.#operationHooks, until)) await this.kick();
    } catch (error) {
      this.log.warn('An operation on many jobs could not go on', { error: String(error) });
    }
  }

  /** Returns jobs that are due soon. They were queued so early that they could not be announced then. */
  async #queuedLongAgo(aheadMs: number): Promise<QueuedJob[]> {
    if (aheadMs === 0 || !this.jobsReady.isHeard) return [];
    const { jobs } = await this.#connected();
    const found = await findDueSoon(jobs, await this.#worker.claimable(), aheadMs, MAX_AHEAD_MS);
    return found.map((runAt) => ({ runAt }));
  }

  /**
   * Recomputes an item's next occurrence from the database's now, after making due jobs. Returns that moment, or null
   * for an inactive item.
   *
   * @param options `callerRole` as in `AddJobOptions`
   * @throws NotFoundError, ForbiddenError, or ConflictError as in `updateScheduler`
   */
  async reScheduleItem(id: string, options: CallerOptions = {}): Promise<Date | null> {
    const { callerRole } = validateNow(callerOptionsSchema, options, 'The call of reScheduleItem');
    const { rescheduleItem } = await scheduling();
    const next = await rescheduleItem(this.db, await this.#connected(), this.#registry, id, callerRole);
    await this.kick();
    return next;
  }

  /**
   * Reschedules all active items, as `reScheduleItem` does. Returns their number.
   *
   * @param options `callerRole` as in `AddJobOptions`. Items whose jobs this role may not add are skipped and not
   *   counted
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

  async #add(
    job: string | JobContract,
    input: unknown,
    options?: AddJobOptions,
    withInput?: boolean,
  ): Promise<AddedJob> {
    const collections = await this.#connected();
    const one = await addJob(
      collections,
      this.#registry,
      this.#entrance.putInLine,
      job,
      input,
      options,
      withInput,
    );
    await this.#tellAdded([one.job], [one.added], one, options);
    return one.added;
  }

  async #addMany(
    given: readonly AnyJobToAdd[],
    options: AddJobsOptions = {},
    withInput?: boolean,
  ): Promise<AddedJob[]> {
    const collections = await this.#connected();
    const many = await addJobs(
      collections,
      this.#registry,
      this.#entrance.putInLine,
      given,
      options,
      withInput,
    );
    await this.#tellAdded(many.jobs, many.added, many, options);
    return many.added;
  }

  /** Adds jobs that were checked before, and tells workers. */
  async #addChecked(
    checked: readonly NewJob[],
    patience: number,
    session?: ClientSession,
  ): Promise<AddedJob[]> {
    const collections = await this.#connected();
    const how = { session, giveUpAt: performance.now() + patience, withInput: false };
    const many = await addChecked(collections, this.#registry, this.#entrance.putInLine, checked, how);
    await this.#tellAdded(many.jobs, many.added, many, { session });
    return many.added;
  }

  /** Emits events about added jobs, except in a transaction of the caller, where the jobs are not committed yet. */
  async #tellAdded(
    jobs: readonly NewJob[],
    added: readonly AddedJob[],
    { giveUpAt, lost }: Pick<Added, 'giveUpAt' | 'lost'>,
    { session }: AddJobsOptions = {},
  ): Promise<void> {
    if (session?.inTransaction() === true) {
      this.#entrance.openLater(jobs, lost);
      return;
    }
    const isNew = (_: NewJob, index: number) => added[index]?.outcome === 'added';
    if (this.#events.isHeard('jobAdded')) {
      for (const { id: jobId, jobName, queue } of jobs.filter(isNew))
        this.#events.tell('jobAdded', { jobId, jobName, queue });
    }
    const mayBeDue = (job: NewJob, index: number) =>
      isNew(job, index) || (added[index]?.outcome === 'replaced' && job.sharing?.mode === 'replace');
    const isReady = (job: NewJob, index: number) => job.blockedBy === undefined && mayBeDue(job, index);
    const lined = jobs.filter((_, index) => added[index]?.outcome !== 'kept');
    const unblocked = await this.#entrance.open(lined, lost);
    await this.jobsReady.tell([...jobs.filter(isReady), ...unblocked], giveUpAt);
    await this.#tally.writeIfDue();
  }

  /**
   * Checks that a caller may add jobs of the same name as this job.
   *
   * @throws ForbiddenError, ValidationError, NotFoundError
   */
  async #requireMayHave(id: string, caller: CallerOptions, subject: string): Promise<void> {
    const { callerRole } = validateNow(callerOptionsSchema, caller, subject);
    const jobName = async () => (await requireJob((await this.#connected()).jobs, id)).jobName;
    await this.#registry.requireMayAdd(jobName, callerRole);
  }

  /**
   * Recovers jobs, and returns whether some must run alone. A failure is only logged: the next invocation tries again, and a
   * claim will show whether the database answers.
   */
  async #recoverLost(): Promise<boolean> {
    try {
      return (await this.#recover()).waitsAlone;
    } catch (error) {
      this.log.warn('Jobs of crashed workers could not be recovered', { error: String(error) });
      return false;
    }
  }

  /**
   * Returns the filter without paused queues and without kinds whose breakers are open. A condition that excludes queues is
   * cheap here, because few jobs match.
   */
  async #aloneFilter(filter: ClaimFilter): Promise<ClaimFilter> {
    const paused = await this.#openQueues.pausedNow();
    const jobNames = await this.#worker.breakers.closed(filter.jobNames);
    if (paused.length === 0) return { ...filter, jobNames };
    const isOpen: Filter<JobDocument> = { queue: { $nin: [...paused] } };
    return { ...filter, jobNames, jobQuery: filter.jobQuery ? { $and: [isOpen, filter.jobQuery] } : isOpen };
  }

  async #runLostOne(): Promise<boolean> {
    const recovery = await this.#recover();
    const { waitsAlone } = recovery;
    return (waitsAlone || queuedBy(recovery).length > 0) && this.#runOne(waitsAlone);
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
    const slots = freedSlots(job, outcome, settledAs);
    await this.#passOn([{ ...job, slots }]);
    await this.#worker.breakers.ended(job, outcome, settledAs === 'cancelled');
    tellEnded(this.#events, job, outcome, settledAs);
    await this.#tally.writeIfDue();
    if (settledAs === 'queued') await this.jobsReady.tell(queuedAgain(job, outcome));
    if (isSettled(settledAs)) await this.#worker.groups.afterSettling([{ ...job, status: settledAs }]);
    if (settledAs !== 'stale') return settledAs;
    throw new ConflictError(id, leaseLost(id));
  }

  /** Gives places of jobs in limits to other jobs. Costs nothing for jobs without places. */
  async #passOn(holders: readonly SlotHolder[]): Promise<void> {
    if (holders.some(({ slots = [] }) => slots.length > 0))
      await this.#tellUnblocked(this.#worker.lines.release(holders));
  }

  /** Tells workers of the jobs that may run now. If letting them run failed, a look within a minute does it. */
  async #tellUnblocked(unblocking: Promise<QueuedJob[]>): Promise<void> {
    const unblocked = await unblocking.catch((error: unknown) => {
      this.log.warn('Places in limits could not be given to other jobs', { error: String(error) });
      return [];
    });
    await this.jobsReady.tell(unblocked);
    await this.#tally.writeIfDue();
  }

  async #register(entries: readonly Registration[]): Promise<void> {
    await this.#connected();
    await this.#registry.register(entries);
  }

  /** Returns the collections once the client is connected. See `Connected`. */
  async #connected(): Promise<Collections> {
    await this.#connection.make();
    await requireOurs(this.#collections);
    await this.#registry.storeDeclared();
    return this.#collections;
  }
}

/** Declares the type of the facade that jobs receive. job-context.ts does not import the facade. */
declare module './job/job-context.js' {
  interface GivenToJobs {
    readonly processor: RemoteProcessor;
  }
}

const MIN_LEASE_MS = 1000;

const NO_CALLBACKS =
  'This processor makes no links for callbacks: give it callbacks: { url, secrets }, or set CALLBACK_URL and CALLBACK_SECRETS.';

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
  log: loggerSchema.default(() => atLevel('info', jsonLogger)),
  formatJobError: z
    .custom<JobErrorFormatter>((value) => typeof value === 'function', 'expected a function')
    .default(() => formatJobError),
  jobQuery: z
    .custom<Filter<JobDocument>>(isFilter, 'expected a MongoDB filter')
    .transform((filter): Filter<JobDocument> => inOwnBson(filter))
    .optional(),
  collectionPrefix: collectionPrefixSchema.default(DEFAULT_COLLECTION_PREFIX),
  name: z.string().min(1).max(100).default(DEFAULT_NAME),
  jobs: jobsSchema.default({}),
  maxThreads: z.int().min(1).max(1000).default(availableParallelism),
  queues: z.array(z.string().min(1)).min(1).optional(),
  callbacks: callbacksSchema.optional(),
  alerts: alertsSchema.optional(),
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

const middlewareSchema = z.strictObject({
  add: z.custom<AddMiddleware>((value) => typeof value === 'function', 'expected a function').optional(),
  run: z.custom<RunMiddleware>((value) => typeof value === 'function', 'expected a function').optional(),
  step: z.custom<StepMiddleware>((value) => typeof value === 'function', 'expected a function').optional(),
});

const listenSchema = z.strictObject({
  name: z.enum(eventNames),
  listener: z.custom((value) => typeof value === 'function', 'expected a function'),
});

const signalSchema = z.strictObject({
  name: stepNameSchema,
  signalId: signalId.optional(),
});

function leaseLost(id: string): string {
  return `The lease of job '${id}' was lost: another worker may have it. Nothing was changed.`;
}

const completeJobSchema = z.strictObject({ session: sessionSchema });

const waitOptionsSchema = z.strictObject({
  job: z.custom(isJob, 'expected a job factory or a contract, made by defineJob').optional(),
  timeout: durationSchema.default(Number.POSITIVE_INFINITY),
  signal: z.instanceof(AbortSignal).optional(),
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

const updateSchedulerOptionsSchema = callerOptionsSchema.extend({ version: z.int().optional() });
const indexOptionsSchema = z.strictObject({
  byQueue: z.boolean().optional(),
  onProgress: z
    .custom<(progress: IndexProgress) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
});

const scheduleOptionsSchema = z.strictObject({
  ahead: durationSchema.default(0),
  deadline: z.date().optional(),
});

function asSettled({ jobId: id, settledAs: status, tree }: LostAttempt): Settled[] {
  return status === undefined ? [] : [{ ...tree, id, status }];
}

/** Returns the jobs that a recovery queued again or made claimable. */
function queuedBy({
  lost,
  madeClaimable,
  unblocked,
}: Recovery & { readonly unblocked: readonly QueuedJob[] }): QueuedJob[] {
  const again = lost.filter(({ settledAs }) => settledAs === undefined);
  return [...Array<QueuedJob>(again.length + madeClaimable).fill(someJob), ...unblocked];
}
