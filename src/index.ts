/**
 * The public API of `remote-processor`.
 *
 * @module remote-processor
 */
import './require-zod.js';

export type { CallerOptions } from './access/caller.js';
export type { AddRole, Role } from './access/role.js';
export type { AlertsOptions } from './alert/alerts-options.js';
export type { AlertFormat } from './alert-format.js';
export type { Audit, AuditFilter, AuditPage, NewAuditEntry } from './audit/audit.js';
export type { AuditChange, AuditEntry, AuditOutcome } from './audit/audit-document.js';
export type { IndexOptions, IndexProgress } from './collections/index-options.js';
export type { Duration } from './duration.js';
export {
  type AbortReason,
  AttemptAbortedError,
  ConflictError,
  DuplicateValueError,
  type DuplicateValues,
  ForbiddenError,
  type ForeignDocument,
  ForeignDocumentsError,
  IndexConflictError,
  IndexMissingError,
  type Issue,
  JobSuspended,
  NotFoundError,
  RateLimited,
  ReadTimeoutError,
  RemoteException,
  RemoteProcessorError,
  RetryAfter,
  SchemaFailedError,
  Snooze,
  StepFailedError,
  StepInterruptedError,
  UnknownJobNameError,
  ValidationError,
  WaitTimeoutError,
} from './errors.js';
export type {
  AttemptEnded,
  AttemptStarted,
  BatchCompleted,
  CircuitClosed,
  CircuitOpened,
  EventListener,
  EventName,
  JobAdded,
  JobSettled,
  JobsBecameReady,
  JobsClaimed,
  JobWaited,
  LeaseLost,
  ProcessorEvents,
  ScheduleFired,
  StepEnded,
  WorkflowEnded,
} from './events.js';
export type { FailureInfo, FailurePage, Failures, FailuresFilter } from './failure/failures.js';
export type { BreakerState, Limit } from './flow/describe-limits.js';
export type { LimitHolder } from './flow/find-holders.js';
export type {
  JobInLine,
  LimitChanges,
  LimitDetails,
  LimitPage,
  LimitState,
  Limits,
  LimitsFilter,
} from './flow/limits.js';
export type { AddedGroup } from './group/add-batch.js';
export type { Batches, BatchPage, BatchResult } from './group/batches.js';
export type {
  BatchInfo,
  GroupProgress,
  GroupStatus,
  WorkflowInfo,
  WorkflowJobInfo,
} from './group/describe-group.js';
export type {
  AddBatchOptions,
  AfterOthers,
  GroupOptions,
  Workflow,
  WorkflowJobs,
} from './group/group-options.js';
export type { JobResult, ResultPage, ResultsFilter } from './group/list-results.js';
export { type ResultReference, resultOf } from './group/references.js';
export type { WorkflowPage, WorkflowResult, Workflows } from './group/workflows.js';
export type { AnyJobToAdd, JobToAdd } from './job/add-jobs.js';
export type { AddMiddleware, JobBeingAdded } from './job/addition.js';
export { attemptsOf, type JobAttempt } from './job/attempts-of.js';
export type {
  BatchContext,
  BatchedJob,
  BatchOptions,
  BatchOutputs,
  BatchRules,
  RunBatch,
} from './job/batch.js';
export type { BreakerRules, CircuitBreaker } from './job/breaker-rules.js';
export type {
  CancelFilter,
  ManyChanged,
  ManyOptions,
  RetryFilter,
  RetryManyOptions,
} from './job/change-many.js';
export {
  type ChildOptions,
  type EndedMember,
  type FanOutOptions,
  type InvokeOptions,
  type MemberResult,
  MemberResults,
} from './job/children.js';
export type { CappedCount, JobCounts } from './job/count-jobs.js';
export {
  type AttemptClock,
  type BatchedJobDefinition,
  defineJob,
  type InProcessJobDefinition,
  implement,
  type JobContractDefinition,
  type JobFactory,
  type JobImplementation,
  type SubprocessJobDefinition,
} from './job/define-job.js';
export type { Ending } from './job/ending.js';
export type { Factories } from './job/factories.js';
export type { Failure, FailureCause } from './job/failure.js';
export type { JobLog, JobLogLine } from './job/find-job-log.js';
export type { WaitingJob } from './job/find-oldest-waiting.js';
export type { JobSteps } from './job/find-steps.js';
export type {
  ConcurrencyLimit,
  ConcurrencyRule,
  Fairness,
  FairnessRule,
  FlowRules,
  HeldSlot,
  JobLimit,
  LimitKey,
  Ordering,
  OrderingRule,
  RateLimit,
  RateRule,
} from './job/flow-rules.js';
export { formatJobError, type JobErrorFormatter } from './job/format-job-error.js';
export type { Awaited, GroupKind, InputPart, Membership } from './job/group.js';
export {
  type ClaimedJob,
  type Job,
  type JobDocument,
  type JobError,
  type JobStatus,
  jobStatuses,
  type Lease,
  type Occurrence,
  type SettledStatus,
  type StoredLog,
  type StoredLogLine,
  settledStatuses,
  type WorkersFields,
} from './job/job.js';
export type { JobContext, SubprocessContext } from './job/job-context.js';
export type { AttemptLimits, InputArguments, JobContract } from './job/job-contract.js';
export type {
  AddJobOptions,
  AddJobsOptions,
  JobChanges,
  JobDefaults,
  JobOverrides,
  KeptFor,
  ResolvedRetention,
  Retention,
} from './job/job-options.js';
export type { ChildrenFilter, Jobs } from './job/jobs.js';
export type { JobFactoryInfo, JobFactoryPage } from './job/list-job-factories.js';
export type { EndedBetween, JobConditions, JobPage, JobsFilter } from './job/list-jobs.js';
export type { LogLineFields } from './job/log-line.js';
export type { Metadata } from './job/metadata.js';
export type {
  Middleware,
  RunContext,
  RunMiddleware,
  StepMiddleware,
  StepRunContext,
} from './job/middleware.js';
export type { NamedBefore } from './job/named-before.js';
export type { OperationMark } from './job/operation-mark.js';
export type { AttemptOutcome, PastAttempt } from './job/past-attempt.js';
export type { ProgressArguments, ReportProgress } from './job/progress.js';
export type { QueuedJob } from './job/queued-job.js';
export type { RemovedCounts } from './job/remove-jobs.js';
export type {
  ExponentialDelay,
  ResolvedRetryDelay,
  RetryDelay,
  RetryDelayFunction,
} from './job/retry-delay.js';
export type { SentSignal } from './job/send-signal.js';
export type { EndedStep, StepCall } from './job/step-call.js';
export type { StepContext } from './job/step-context.js';
export type {
  StepEntry,
  StepKind,
  StepLog,
  StepState,
  StepsState,
  StepWait,
  StoredSignal,
} from './job/step-log.js';
export type {
  CallbackAnswer,
  CallbackOptions,
  Iterated,
  IterateOptions,
  SignalOptions,
  StepCallback,
  StepFunction,
  StepOptions,
  StepRetry,
  Steps,
  TransactionFunction,
} from './job/steps.js';
export type {
  AddArguments,
  InputMember,
  InputOf,
  JobName,
  JobsByName,
  JobsToAdd,
  JobToAddOptions,
  NamedJobToAdd,
  TypedJobToAdd,
} from './job/typed-jobs.js';
export type {
  DebounceOptions,
  DebounceRule,
  DebounceTimes,
  KeyFunction,
  KeyOptions,
  KeyRule,
  UniqueBehaviour,
  UniqueMode,
  UniqueOptions,
  UniqueRule,
  UniqueRules,
} from './job/unique-rules.js';
export type { SettledJob } from './job/wait-for-job.js';
export type { AddedJob } from './job/write-job.js';
export type { JobsReady, Kick } from './jobs-ready.js';
export { jsonLogger, type LogFields, type Logger } from './log.js';
export { atLevel, type LogLevel } from './log-level.js';
export type { Mark, MarkOptions, MarkPage, Marks } from './mark/marks.js';
export type { AnyDb, AnySession } from './mongo/driver-of.js';
export type {
  OperationAction,
  OperationFilter,
  OperationState,
} from './operation/operation-document.js';
export type {
  NewOperation,
  OperationInfo,
  OperationPage,
  Operations,
  StartOptions,
} from './operation/operations.js';
export type { PageFilter } from './page-filter.js';
export { type FieldsFirstLogger, pinoLogger } from './pino-logger.js';
export {
  type DrainOptions,
  RemoteProcessor,
  type RemoteProcessorOptions,
  type RemoveJobsOptions,
  type ScheduleOptions,
  type SignalSent,
  type WaitOptions,
} from './processor.js';
export type { Queue, QueuePage } from './queue/queue-document.js';
export type { Queues } from './queue/queues.js';
export type { CronFields } from './scheduler/calendar/cron-fields.js';
export type { DeclaredScheduler } from './scheduler/declaration.js';
export type { OccurrenceJob } from './scheduler/find-history.js';
export type { SchedulerItem, SchedulerItemState } from './scheduler/item.js';
export type { SchedulerPage, SchedulersFilter } from './scheduler/list-items.js';
export type { Preview } from './scheduler/preview.js';
export type {
  AtOptions,
  CatchUp,
  ChangeableOptions,
  CronListsOptions,
  CronOptions,
  DelayOptions,
  Overlap,
  SchedulerChanges,
  SchedulerDefinition,
  SchedulerOptions,
  SharedDefinition,
  SharedSchedulerOptions,
} from './scheduler/scheduler-options.js';
export type { RunNowOptions, Schedules } from './scheduler/schedules.js';
export type { SchedulerSync } from './scheduler/sync-items.js';
export type {
  CompleteInput,
  NamedScheduler,
  ScheduledInput,
  SchedulerTiming,
  TypedScheduler,
} from './scheduler/typed-scheduler.js';
export type { Upcoming } from './scheduler/upcoming.js';
export { silentLogger } from './silent-logger.js';
export type { KindPoint, KindStatistics, KindsOptions } from './statistics/find-kinds.js';
export type { StatisticsRange, StatisticsRangeOptions } from './statistics/find-range.js';
export type {
  LimitWaits,
  StatisticsOptions,
  StatisticsPoint,
  WaitsOptions,
} from './statistics/find-statistics.js';
export type { Percentiles } from './statistics/histogram.js';
export type { Range } from './statistics/ranges.js';
export type { Statistics } from './statistics/statistics.js';
export type { AttemptCounts } from './statistics/statistics-document.js';
export type { CallbacksOptions } from './step/callbacks.js';
export type { Verdict } from './verdict/find-verdict.js';
export type {
  FindingAction,
  FindingCode,
  FindingSubject,
  Severity,
  VerdictFinding,
} from './verdict/finding.js';
export type { WorkerPage } from './worker/find-live-workers.js';
export type { RunningJob } from './worker/find-running-jobs.js';
export type { DrainSummary } from './worker/summary.js';
export type { LiveWorker } from './worker/worker-document.js';
export type { Workers } from './worker/workers.js';
