import type { Collection, Db, Document, MongoClient } from 'mongodb';
import { type AlertDocument, alertsCollection } from '../alert/alert-document.js';
import { type AuditDocument, auditCollection } from '../audit/audit-document.js';
import { type FailureDocument, failuresCollection } from '../failure/failure-document.js';
import { type LimitDocument, limitsCollection } from '../flow/limit-document.js';
import { type GroupDocument, groupsCollection } from '../group/group-document.js';
import { type IdempotencyKeyDocument, idempotencyKeysCollection } from '../idempotency/key-document.js';
import { type JobFactoryDocument, jobFactoriesCollection } from '../job/factory-document.js';
import type { JobDocument } from '../job/job.js';
import { jobsCollection } from '../job/jobs-collection.js';
import { type StepPageDocument, stepPagesCollection } from '../job/step-pages.js';
import { type MarkDocument, marksCollection } from '../mark/mark-document.js';
import type { CollectionDescription } from '../mongo/collection-description.js';
import { openCollection } from '../mongo/open-collection.js';
import {
  type OperationDocument,
  operationSlicesCollection,
  operationsCollection,
  type SliceDocument,
} from '../operation/operation-document.js';
import { type QueueDocument, queuesCollection } from '../queue/queue-document.js';
import type { SchedulerItemDocument } from '../scheduler/item.js';
import { schedulerCollection } from '../scheduler/scheduler-collection.js';
import { type EndedSessionDocument, endedSessionsCollection } from '../sign-in/ended-session-document.js';
import { type WrongKeyDocument, wrongKeysCollection } from '../sign-in/wrong-key-document.js';
import {
  type StatisticsDocument,
  statisticsCollection,
  statisticsHoursCollection,
} from '../statistics/statistics-document.js';
import { type WorkerDocument, workersCollection } from '../worker/worker-document.js';

/** The collections that make up one remote processor. */
export interface Collections {
  /** The client that starts sessions. */
  readonly client: MongoClient;
  /** The prefix of the collections' names. */
  readonly prefix: string;
  readonly jobs: Collection<JobDocument>;
  readonly jobSteps: Collection<StepPageDocument>;
  readonly jobGroups: Collection<GroupDocument>;
  readonly jobFactories: Collection<JobFactoryDocument>;
  readonly scheduler: Collection<SchedulerItemDocument>;
  readonly queues: Collection<QueueDocument>;
  readonly limits: Collection<LimitDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly idempotencyKeys: Collection<IdempotencyKeyDocument>;
  readonly endedSessions: Collection<EndedSessionDocument>;
  readonly wrongKeys: Collection<WrongKeyDocument>;
  readonly statistics: Collection<StatisticsDocument>;
  readonly statisticsHours: Collection<StatisticsDocument>;
  readonly marks: Collection<MarkDocument>;
  readonly failures: Collection<FailureDocument>;
  readonly operations: Collection<OperationDocument>;
  readonly operationSlices: Collection<SliceDocument>;
  readonly alerts: Collection<AlertDocument>;
  readonly audit: Collection<AuditDocument>;
}

/** Each domain's description of its collection. */
const descriptions: readonly CollectionDescription[] = [
  jobsCollection,
  stepPagesCollection,
  groupsCollection,
  jobFactoriesCollection,
  schedulerCollection,
  queuesCollection,
  limitsCollection,
  workersCollection,
  idempotencyKeysCollection,
  endedSessionsCollection,
  wrongKeysCollection,
  statisticsCollection,
  statisticsHoursCollection,
  marksCollection,
  failuresCollection,
  operationsCollection,
  operationSlicesCollection,
  alertsCollection,
  auditCollection,
];

/**
 * Opens the collections of `db` whose names begin with a prefix. Sets the read and write concerns that the invariants need, and
 * a time limit for reads.
 */
export function openCollections(db: Db, prefix: string): Collections {
  const open = <Schema extends Document>({ name }: CollectionDescription) =>
    openCollection<Schema>(db, `${prefix}${name}`);
  return {
    client: db.client,
    prefix,
    jobs: open<JobDocument>(jobsCollection),
    jobSteps: open<StepPageDocument>(stepPagesCollection),
    jobGroups: open<GroupDocument>(groupsCollection),
    jobFactories: open<JobFactoryDocument>(jobFactoriesCollection),
    scheduler: open<SchedulerItemDocument>(schedulerCollection),
    queues: open<QueueDocument>(queuesCollection),
    limits: open<LimitDocument>(limitsCollection),
    workers: open<WorkerDocument>(workersCollection),
    idempotencyKeys: open<IdempotencyKeyDocument>(idempotencyKeysCollection),
    endedSessions: open<EndedSessionDocument>(endedSessionsCollection),
    wrongKeys: open<WrongKeyDocument>(wrongKeysCollection),
    statistics: open<StatisticsDocument>(statisticsCollection),
    statisticsHours: open<StatisticsDocument>(statisticsHoursCollection),
    marks: open<MarkDocument>(marksCollection),
    failures: open<FailureDocument>(failuresCollection),
    operations: open<OperationDocument>(operationsCollection),
    operationSlices: open<SliceDocument>(operationSlicesCollection),
    alerts: open<AlertDocument>(alertsCollection),
    audit: open<AuditDocument>(auditCollection),
  };
}

/** A collection with its description. Its documents may have any form. */
export interface DescribedCollection {
  readonly described: CollectionDescription;
  readonly collection: Collection;
}

/** Returns all collections with their descriptions. */
export function describedCollections({ client, prefix, jobs }: Collections): readonly DescribedCollection[] {
  const db = client.db(jobs.dbName);
  return descriptions.map((described) => ({
    described,
    collection: openCollection(db, `${prefix}${described.name}`),
  }));
}
