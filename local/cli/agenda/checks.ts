import type { Db } from 'mongodb';
import { isKind } from '../../../src/brand.js';
import {
  ConflictError,
  SchemaFailedError,
  UnknownJobNameError,
  ValidationError,
} from '../../../src/errors.js';
import type { DeclaredScheduler } from '../../../src/index.js';
import { describeIssues } from '../../../src/issues.js';
import type { AddableJob, JobRegistry } from '../../../src/job/registry.js';
import { toNewJob } from '../../../src/job/to-new-job.js';
import { prepareItem } from '../../../src/scheduler/add-item.js';
import type { JobToImport } from './convert.js';

/** Makes the checks of `addJob` and `addScheduler`, but writes nothing. */
export class Checks {
  readonly #addable = new Map<string, Promise<AddableJob>>();

  constructor(
    private readonly db: Db,
    private readonly registry: JobRegistry,
  ) {}

  /** Checks a job as `addJob` would. @throws errors of `addJob` */
  async checkJob({ jobName, input, id, runAt, priority }: JobToImport): Promise<void> {
    await toNewJob(await this.#find(jobName), jobName, input, { id, runAt, priority });
  }

  /**
   * Checks an item as `addScheduler` would. Returns its first occurrence, or null for an item that is to be inactive.
   *
   * @throws errors of `addScheduler`
   */
  async checkSchedule(schedule: DeclaredScheduler): Promise<Date | null> {
    await this.#find(schedule.jobName);
    const { active, started } = await prepareItem(this.db, this.registry, schedule);
    return active ? started.nextCallTime : null;
  }

  #find(jobName: string): Promise<AddableJob> {
    const known = this.#addable.get(jobName) ?? this.registry.find(jobName);
    this.#addable.set(jobName, known);
    return known;
  }
}

/** Returns why a job or a scheduler item cannot be added. @throws the given error, if it is about something else */
export function reasonOf(error: unknown): string {
  if (isKind(error, UnknownJobNameError))
    return `no job factory is called '${error.jobName}': register it, name its module with --jobs, or say its name with --rename`;
  if (isKind(error, ValidationError)) return describeIssues(error.issues);
  if (isKind(error, SchemaFailedError) || isKind(error, ConflictError)) return error.message;
  throw error;
}
