import type { Collection, Db, Document } from 'mongodb';
import type { Collections } from '../../../src/collections/collections.js';
import type { RemoteProcessor } from '../../../src/index.js';
import type { JobRegistry } from '../../../src/job/registry.js';
import { serverTime } from '../../../src/mongo/server-time.js';
import { findTakenIds, type WithTextIds } from '../database/find-taken-ids.js';
import { type AgendaJob, agendaJobSchema } from './agenda-job.js';
import { Checks, reasonOf } from './checks.js';
import { type Conversion, type ConversionOptions, convert, type JobToImport } from './convert.js';
import { type ImportedKind, type ImportedSchedule, ImportReport } from './import-report.js';
import { readAgendaJobs } from './read-agenda-jobs.js';

/** The deployment that takes over the jobs and scheduler items. */
export interface ImportTarget {
  readonly db: Db;
  readonly collections: Pick<Collections, 'jobs' | 'scheduler'>;
  /** The kinds of jobs that can be added. */
  readonly registry: JobRegistry;
  /** Adds jobs and scheduler items. Undefined to write nothing. */
  readonly processor: RemoteProcessor | undefined;
}

export interface ImportOptions extends Omit<ConversionOptions, 'now'> {
  /** Names in Agenda. Jobs of other names are left out. */
  readonly names: readonly string[] | undefined;
  /** Called after each batch, with the number of documents read so far. */
  readonly onProgress: (read: number) => void;
}

/**
 * Takes over the jobs in Agenda's collection, or only tells what would be taken over. Reads the collection once, in
 * batches, and never changes it. Leaves the jobs and scheduler items of a former run as they are.
 *
 * @throws the driver's errors
 */
export async function importAgenda(
  source: Collection,
  target: ImportTarget,
  { names, onProgress, ...options }: ImportOptions,
): Promise<ImportReport> {
  const now = await serverTime(target.db);
  const report = new ImportReport();
  const checks = new Checks(target.db, target.registry);
  for await (const documents of readAgendaJobs(source, names)) {
    const batch = new Batch(target, checks, report, { ...options, now });
    await batch.take(documents);
    report.read += documents.length;
    onProgress(report.read);
  }
  return report;
}

/** A job to add, and the document that it comes from. */
interface Candidate<Content> {
  readonly content: Content;
  readonly kind: ImportedKind;
  readonly source: AgendaJob;
}

type Schedule = Extract<Conversion, { readonly kind: 'schedule' }>;
type CheckedSchedule = Schedule & Pick<ImportedSchedule, 'first'>;

/** Documents that are converted, checked and added together. */
class Batch {
  readonly #jobs: Candidate<JobToImport>[] = [];
  readonly #schedules: Candidate<Schedule>[] = [];

  constructor(
    private readonly target: ImportTarget,
    private readonly checks: Checks,
    private readonly report: ImportReport,
    private readonly options: ConversionOptions,
  ) {}

  async take(documents: readonly Document[]): Promise<void> {
    for (const document of documents) this.#convert(document);
    const schedules = await this.#newSchedules();
    const overdue = schedules.flatMap(({ content, ...rest }) =>
      content.overdue ? { ...rest, content: content.overdue } : [],
    );
    await this.#addJobs([...this.#jobs, ...overdue]);
    // Comes last, because an item that is there means that its overdue job is there, too.
    for (const schedule of schedules) await this.#addSchedule(schedule);
  }

  #convert(document: Document): void {
    const parsed = agendaJobSchema.safeParse(document);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const name = String(document.name);
      const reason = `it is not as Agenda writes jobs: ${issue?.path.join('.')}: ${issue?.message}`;
      this.report.refuse({ name, jobName: name }, String(document._id), reason);
      return;
    }
    const source = parsed.data;
    const kind = this.report.kind(source.name, this.options.jobNameOf(source.name));
    const conversion = convert(source, this.options);
    switch (conversion.kind) {
      case 'ended':
        kind[conversion.status] += 1;
        return;
      case 'refused':
        this.report.refuse(kind, source._id.toString(), conversion.reason);
        return;
      case 'job':
        this.#jobs.push({ content: conversion.job, kind, source });
        return;
      case 'schedule':
        this.#schedules.push({ content: conversion, kind, source });
    }
  }

  /** Returns the candidates whose id is not taken. Counts the others in `there`. */
  async #withoutTaken<Content>(
    collection: WithTextIds,
    candidates: readonly Candidate<Content>[],
    idOf: (content: Content) => string,
  ): Promise<readonly Candidate<Content>[]> {
    const taken = await findTakenIds(
      collection,
      candidates.map(({ content }) => idOf(content)),
    );
    for (const { content, kind } of candidates) if (taken.has(idOf(content))) kind.there += 1;
    return candidates.filter(({ content }) => !taken.has(idOf(content)));
  }

  async #newSchedules(): Promise<readonly Candidate<CheckedSchedule>[]> {
    const { scheduler } = this.target.collections;
    const checked: Candidate<CheckedSchedule>[] = [];
    for (const candidate of await this.#withoutTaken(
      scheduler,
      this.#schedules,
      ({ schedule }) => schedule.id,
    ))
      await this.#unlessRefused(candidate, async () => {
        const first = await this.checks.checkSchedule(candidate.content.schedule);
        checked.push({ ...candidate, content: { ...candidate.content, first } });
      });
    return checked;
  }

  async #addJobs(candidates: readonly Candidate<JobToImport>[]): Promise<void> {
    const { collections, processor } = this.target;
    const checked: Candidate<JobToImport>[] = [];
    for (const candidate of await this.#withoutTaken(collections.jobs, candidates, ({ id }) => id))
      await this.#unlessRefused(candidate, async () => {
        await this.checks.checkJob(candidate.content);
        checked.push(candidate);
      });
    if (checked.length > 0) await processor?.addJobs(checked.map(({ content }) => toJobToAdd(content)));
    for (const { kind, content } of checked) {
      kind.newJobs += 1;
      if (content.runAt === undefined || content.runAt <= this.options.now) kind.dueJobs += 1;
    }
  }

  async #addSchedule(candidate: Candidate<CheckedSchedule>): Promise<void> {
    const { schedule, first } = candidate.content;
    await this.#unlessRefused(candidate, async () => {
      await this.target.processor?.addScheduler(schedule);
      candidate.kind.newSchedules += 1;
      this.report.schedules.push({ options: schedule, first });
    });
  }

  /** Calls `act`. Reports an error that is about this document. @throws any other error */
  async #unlessRefused({ kind, source }: Candidate<unknown>, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.report.refuse(kind, source._id.toString(), reasonOf(error));
    }
  }
}

function toJobToAdd({ jobName, input, id, runAt, priority }: JobToImport) {
  return { name: jobName, input, options: { id, runAt, priority } };
}
